// Loads by the tools that people use, run after run: what each reports is one tick. They bring
// throughput; what one of them tells of a run into which a fault fell is shown and not judged.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DNS_EIPS, LAB_ZONE } from '../../../lab/dns.ts';
import { VIPS } from '../../../lab/lb.ts';
import { WWW } from '../../../lab/lb-objects.ts';
import type { LabNode } from '../../../lab/node.ts';
import { EIP } from '../../../lab/site-objects.ts';
import { parseReport, perfdhcpArguments } from '../../bench/dhcpd/perfdhcp.ts';
import { readReport } from '../../bench/dns/dnsperf.ts';
import type { Load, Tick, Trouble, TroubleKind } from '../facts.ts';
import { GIADDR, type SoakSite } from '../site.ts';

const SECONDS = 8;
const GRACE_MS = 30_000;
const PAUSE_MS = 2000;
const RATE = { perfdhcp: 15, dnsperf: 150, h2load: 30, iperf3Mbit: 16 } as const;
const H2LOAD_CLIENTS = 2;

type Run = Partial<Pick<Tick, 'done' | 'failed' | 'bytes' | 'meanMs' | 'worstMs'>> & {
  trouble?: { kind: TroubleKind; what: string };
};
type Tool = { load: Load; node: LabNode; run: (round: number) => Promise<Run> };
export type ToolSink = { tick: (tick: Tick) => void; trouble: (trouble: Trouble) => void };

const failedRun = (failed: number, what: string): Run =>
  failed === 0 ? {} : { trouble: { kind: 'failed', what } };

export function toolsOf({ lab, relay }: SoakSite, signal: AbortSignal): Tool[] {
  const [telecom, unicom, mobile] = [lab.client(1), lab.client(2), lab.client(3)];
  const queries = join(lab.run.directory, 'dnsperf.queries');
  writeFileSync(queries, `vm.${LAB_ZONE} A\n${WWW} A\n${LAB_ZONE} NS\nno.${LAB_ZONE} A\n`);
  const exec = async (node: LabNode, command: string, args: readonly string[]): Promise<string> => {
    const limits = { timeoutMs: SECONDS * 1000 + GRACE_MS, allowFailure: true, signal };
    const { stdout, stderr, code } = await node.exec(command, args, limits);
    if (stdout === '') throw new Error(`${command}: exit code ${code}: ${stderr.slice(0, 300)}`);
    return stdout;
  };
  return [
    { load: 'perfdhcp', node: relay, run: (round) => perfdhcp(exec, lab, relay, round) },
    { load: 'dnsperf', node: unicom, run: (round) => dnsperf(exec, unicom, queries, round) },
    { load: 'h2load', node: mobile, run: () => h2load(exec, mobile) },
    { load: 'iperf3', node: telecom, run: () => iperf3(exec, telecom) },
  ];
}

type Exec = (node: LabNode, command: string, args: readonly string[]) => Promise<string>;

async function perfdhcp(
  exec: Exec,
  { dhcpds }: SoakSite['lab'],
  relay: LabNode,
  round: number,
): Promise<Run> {
  const server = dhcpds[round % dhcpds.length]?.address ?? '';
  const load = { server, relay: GIADDR.perfdhcp, rate: RATE.perfdhcp, seconds: SECONDS };
  const args = perfdhcpArguments({ ...load, number: round + 1 });
  const report = parseReport(await exec(relay, 'perfdhcp', ['-W', '1500000', ...args]));
  const { acks, offers } = report;
  const failed = offers.drops + acks.drops;
  const tick = { done: acks.received, failed, meanMs: acks.meanDelayMs, worstMs: acks.meanDelayMs };
  if (acks.nonUnique > 0) {
    const what = `perfdhcp: ${acks.nonUnique} ACKs gave an address that another client holds`;
    return { ...tick, trouble: { kind: 'duplicate', what } };
  }
  return { ...tick, ...failedRun(failed, `${failed} messages without an answer`) };
}

async function dnsperf(exec: Exec, node: LabNode, queries: string, round: number): Promise<Run> {
  const server = DNS_EIPS[round % DNS_EIPS.length] ?? '';
  const rate = { '-Q': RATE.dnsperf, '-l': SECONDS, '-c': 4, '-q': 50, '-T': 1, '-t': 3 };
  const words = Object.entries(rate).flatMap(([key, value]) => [key, String(value)]);
  const args = ['-s', server, '-d', queries, '-O', 'suppress=timeouts', ...words];
  const { completed, lost, meanMs, mostMs } = readReport(await exec(node, 'dnsperf', args));
  const tick = { done: completed, failed: lost, meanMs, worstMs: mostMs };
  return { ...tick, ...failedRun(lost, `${lost} queries without an answer`) };
}

async function h2load(exec: Exec, node: LabNode): Promise<Run> {
  const requests = RATE.h2load * SECONDS;
  const rates = ['-n', `${requests}`, '-c', `${H2LOAD_CLIENTS}`, '-m', '4'];
  const paced = `--rps=${RATE.h2load / H2LOAD_CLIENTS}`;
  const to = `--connect-to=${VIPS.isps[2]}:443`;
  const text = await exec(node, 'h2load', [...rates, paced, to, `https://${WWW}/bytes/2000`]);
  const done = Number(/status codes: (\d+) 2xx/.exec(text)?.[1] ?? 0);
  const times = /time for request:\s+(\S+)\s+(\S+)\s+(\S+)/.exec(text) ?? [];
  const failed = requests - done;
  const [, , worst = '', mean = ''] = times;
  const tick = { done, failed, meanMs: timeMs(mean), worstMs: timeMs(worst) };
  return { ...tick, ...failedRun(failed, `${failed} of ${requests} requests failed`) };
}

function timeMs(text: string): number {
  const [, value, unit] = /^([\d.]+)(us|ms|s)$/.exec(text) ?? [];
  return Number(value ?? 0) * (unit === 'us' ? 1e-3 : unit === 'ms' ? 1 : 1000);
}

type IperfReport = { error?: string; end?: { sum_received?: { bytes: number } } };

async function iperf3(exec: Exec, node: LabNode): Promise<Run> {
  const args = ['-c', EIP.first, '-t', `${SECONDS}`, '-b', `${RATE.iperf3Mbit}M`, '-J'];
  const { error, end } = JSON.parse(await exec(node, 'iperf3', args)) as IperfReport; // its own
  const bytes = end?.sum_received?.bytes ?? 0;
  if (error === undefined) return { done: 1, bytes };
  const kind = /reset/i.test(error) ? 'reset' : 'failed';
  return { failed: 1, bytes, trouble: { kind, what: error } };
}

async function oneRun({ load, node, run }: Tool, round: number, sink: ToolSink): Promise<void> {
  const sinceMs = Date.now();
  const none = { done: 0, failed: 0, bytes: 0, meanMs: 0, worstMs: 0 };
  const { trouble, ...counts } = await run(round).catch(
    (error: Error): Run => ({
      failed: 1,
      trouble: { kind: 'failed', what: error.message },
    }),
  );
  const atMs = Date.now();
  const about = { load, client: node.name, atMs };
  sink.tick({ ...none, ...counts, ...about, spanMs: atMs - sinceMs });
  if (trouble !== undefined) sink.trouble({ ...about, sinceMs, ...trouble });
}

/** Until the signal; what is under way then is not told. */
export async function keepTools(
  tools: readonly Tool[],
  sink: ToolSink,
  signal: AbortSignal,
): Promise<void> {
  const silent: ToolSink = {
    tick: (tick) => signal.aborted || sink.tick(tick),
    trouble: (trouble) => signal.aborted || sink.trouble(trouble),
  };
  await Promise.all(
    tools.map(async (tool) => {
      for (let round = 0; !signal.aborted; round++) {
        await oneRun(tool, round, silent);
        await pause(PAUSE_MS, undefined, { signal }).catch(() => undefined); // ended
      }
    }),
  );
}
