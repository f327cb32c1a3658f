// `zone list|show|export`: what the dns on this host serves, and a zone of it as a zone file.

import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { displayName } from '../dns/names.ts';
import { typeName } from '../dns/rdata.ts';
import { dataText } from '../dns/zone/print.ts';
import type { RecordList } from '../dns/zone/record-list.ts';
import { OperationalError } from '../errors.ts';
import type { Arguments, Run } from './command.ts';
import type { Context } from './context.ts';
import { controlOf, fieldsOf, listOf } from './control.ts';
import { EXIT } from './exit.ts';
import { type Fields, optional } from './lease.ts';
import { writeList } from './list.ts';
import { type Column, writeJsonArray } from './table.ts';
import { parseServed, zoneNamed } from './zone-file.ts';

function stateOf(row: Fields): { text: string; level: 'red' | 'yellow' | 'green' } {
  const [problem] = listOf(row, 'problems');
  if (problem !== undefined) return { text: String(problem), level: 'red' };
  const [warning] = listOf(row, 'warnings');
  if (warning !== undefined) return { text: `warning: ${warning}`, level: 'yellow' };
  return { text: 'served', level: 'green' };
}

const count = (title: string, name: string): Column<Fields> => ({
  title,
  right: true,
  value: (row) => (typeof row[name] === 'number' ? row[name] : undefined),
});

const COLUMNS: readonly Column<Fields>[] = [
  { title: 'ZONE', value: (row) => optional(row, 'zone') },
  { title: 'FROM', value: (row) => optional(row, 'source') },
  count('SERIAL', 'serial'),
  count('RECORDS', 'records'),
  { title: 'LOADED', value: (row) => optional(row, 'loadedAt')?.replace(/\.\d+Z$/, 'Z') },
  { title: 'STATE', value: (row) => stateOf(row).text, colour: (row) => stateOf(row).level },
];

export const list: Run = async (context, args) => {
  const answer = fieldsOf(await controlOf(context, args, 'dns').get('/zones'), 'zones');
  const rows = listOf(answer, 'zones').map((one) => fieldsOf(one, 'zones'));
  await writeList(context, args, { columns: COLUMNS, rows, json: (row) => row });
  return EXIT.ok;
};

/** The zone file, in pieces; throws when it is cut short by Ctrl-C. */
async function* streamOf(context: Context, args: Arguments, zone: string) {
  const { signal } = context;
  const path = `/zone?${new URLSearchParams({ zone })}`;
  yield* controlOf(context, args, 'dns').stream(path, signal);
  signal.throwIfAborted();
}

/** Of ASCII. */
export async function servedText(context: Context, args: Arguments, zone: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of streamOf(context, args, zone)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
}

export function recordJson(records: RecordList, index: number) {
  const type = records.type(index);
  return {
    name: displayName(records.owner(index)),
    type: typeName(type),
    ttlSeconds: records.ttlSeconds(index),
    data: dataText(type, records.rdata(index)),
  };
}

function* recordsJson(records: RecordList) {
  for (let index = 0; index < records.count; index++) yield recordJson(records, index);
}

export const show: Run = async (context, args) => {
  const { zone, origin } = zoneNamed(args.positionals[0] ?? '');
  const { out } = context;
  if (args.switches.has('json')) {
    const { records } = parseServed(origin, await servedText(context, args, zone));
    await writeJsonArray(out, recordsJson(records));
    await out.write('\n');
    return EXIT.ok;
  }
  for await (const chunk of streamOf(context, args, zone)) {
    await out.write(chunk);
    if (out.closed) break;
  }
  return EXIT.ok;
};

/** Under another name until it is whole, so that no one takes a part for the zone. */
export const exportZone: Run = async (context, args) => {
  const [text = '', path = '-'] = args.positionals;
  if (path === '-') return show(context, args);
  const { zone } = zoneNamed(text);
  const part = `${path}.part`;
  try {
    await pipeline(streamOf(context, args, zone), createWriteStream(part));
    await rename(part, path);
  } catch (cause) {
    await rm(part, { force: true });
    context.signal.throwIfAborted();
    if (cause instanceof OperationalError) throw cause;
    throw new OperationalError('EDGE_CTL_OUTPUT', `${path} cannot be written`, { cause });
  }
  await context.err.line(`edgectl: zone ${zone} written to ${path}`);
  return EXIT.ok;
};
