// `trace`: the daemon's stream of packets as lines, as JSON, or as pcapng.

import { createWriteStream } from 'node:fs';
import { OperationalError } from '../errors.ts';
import { parseIpv4 } from '../net/ipv4.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import type { Context } from './context.ts';
import { controlOf } from './control.ts';
import { EXIT } from './exit.ts';
import { frameText } from './frame-text.ts';
import { Output } from './output.ts';
import { PcapngWriter } from './pcapng.ts';

const MAX_LINE_CHARS = 65_536;

/** One line of GET /trace. */
export type TraceRecord = {
  timeNs: string; // since 1970, UTC, decimal
  interface: string;
  egress: boolean;
  after: boolean; // false: as it came; true: as it left the program
  reason: string; // only says something when it left
  frameBytes: number;
  frame: string; // base64; what was captured of it
};

/** The stream's lines as records. A line that is none is an error: the daemon speaks otherwise. */
export async function* traceRecords(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<TraceRecord> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield parseRecord(line);
    if (rest.length > MAX_LINE_CHARS) throw badStream('a line without end');
  }
}

function parseRecord(line: string): TraceRecord {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw badStream(line.slice(0, 80), error);
  }
  if (!isRecord(value)) throw badStream(line.slice(0, 80));
  return value;
}

function isRecord(value: unknown): value is TraceRecord {
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Partial<Record<keyof TraceRecord, unknown>>; // checked on the next lines
  return (
    typeof fields.timeNs === 'string' &&
    /^\d{1,20}$/.test(fields.timeNs) &&
    typeof fields.interface === 'string' &&
    typeof fields.reason === 'string' &&
    typeof fields.frameBytes === 'number' &&
    typeof fields.frame === 'string'
  );
}

function badStream(what: string, cause?: unknown): OperationalError {
  return new OperationalError('EDGE_CTL_BAD_ANSWER', `the daemon sent no trace record: ${what}`, {
    cause,
    remedy: 'are edgectl and the daemon of the same version?',
  });
}

function queryOf(args: Arguments): string {
  const query = new URLSearchParams();
  const address = args.positionals[0];
  if (address !== undefined) {
    if (parseIpv4(address) === undefined) throw new UsageError(`"${address}" is no IPv4 address`);
    query.set('address', address);
  }
  const reason = args.values.get('reason');
  if (reason !== undefined) query.set('reason', reason.toUpperCase());
  const text = query.toString();
  return text === '' ? '/trace' : `/trace?${text}`;
}

function traceLine(record: TraceRecord): string {
  const time = new Date(Number(BigInt(record.timeNs) / 1_000_000n)).toISOString().slice(11, 23);
  const hook = `${record.interface} ${record.egress ? 'egress' : 'ingress'}`;
  const frame = frameText(Buffer.from(record.frame, 'base64'));
  const stage = record.after ? 'left' : 'came';
  const line = `${time} ${hook} ${stage} ${frame} ${record.frameBytes} bytes`;
  return record.after ? `${line} ${record.reason}` : line;
}

function comment(record: TraceRecord): string {
  return record.after ? `as it left: ${record.reason}` : 'as it came';
}

function pcapOutput(context: Context, path: string): Output {
  if (path !== '-') return new Output(createWriteStream(path), {});
  if (!context.out.isTty) return context.out;
  throw new UsageError('not writing a capture on a terminal: pipe it, or give --pcap FILE');
}

/** The header comes with the first packet or at the end: a refusal leaves no capture behind. */
async function writePcap(out: Output, records: AsyncIterable<TraceRecord>): Promise<void> {
  const writer = new PcapngWriter();
  let header: Uint8Array | undefined = writer.start();
  for await (const record of records) {
    const blocks = writer.frame({
      timeNs: BigInt(record.timeNs),
      interface: record.interface,
      comment: comment(record),
      frameBytes: record.frameBytes,
      frame: Buffer.from(record.frame, 'base64'),
    });
    await out.write(Buffer.concat(header === undefined ? blocks : [header, ...blocks]));
    header = undefined;
    if (out.closed) return;
  }
  if (header !== undefined) await out.write(header);
}

async function writeLines(
  context: Context,
  args: Arguments,
  records: AsyncIterable<TraceRecord>,
): Promise<void> {
  const json = args.switches.has('json');
  for await (const record of records) {
    await context.out.line(json ? JSON.stringify(record) : traceLine(record));
    if (context.out.closed) return;
  }
}

export const trace: Run = async (context, args) => {
  const path = args.values.get('pcap');
  const pcap = path === undefined ? undefined : pcapOutput(context, path);
  const records = traceRecords(controlOf(context, args).stream(queryOf(args), context.signal));
  try {
    if (pcap !== undefined) await writePcap(pcap, records);
    else await writeLines(context, args, records);
  } catch (error) {
    if (!context.signal.aborted) throw error; // Ctrl-C is how a trace ends
  }
  return EXIT.ok;
};
