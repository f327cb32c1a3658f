// npm run bench -- <service> [--json] [--quick] [--rounds N] [--case NAME]…: measures a service and
// its peers in turn on one topology. Rows go to stdout, progress and the machine to stderr.
import { parseArgs } from 'node:util';
import { describeMachine } from './frame/machine.ts';
import { formatJson, formatTable } from './frame/rows.ts';
import type { Bench, BenchOptions, Row } from './frame/types.ts';

interface Entry {
  load(): Promise<Bench>;
  rounds: { quick: number; full: number };
  limitMinutes: { quick: number; full: number };
}

const benches: Record<string, Entry> = {
  natter: {
    load: async () => (await import('./natter/bench.ts')).benchNatter,
    rounds: { quick: 3, full: 5 },
    limitMinutes: { quick: 3, full: 40 },
  },
  dhcpd: {
    load: async () => (await import('./dhcpd/bench.ts')).benchDhcpd,
    rounds: { quick: 1, full: 3 },
    limitMinutes: { quick: 30, full: 180 },
  },
  dns: {
    load: async () => (await import('./dns/bench.ts')).benchDns,
    rounds: { quick: 1, full: 3 },
    limitMinutes: { quick: 15, full: 120 },
  },
  lb: {
    load: async () => (await import('./lb/bench.ts')).benchLb,
    rounds: { quick: 1, full: 3 },
    limitMinutes: { quick: 15, full: 60 },
  },
};

const USAGE = `usage: npm run bench -- <service> [option]...
services: ${Object.keys(benches).join(', ')}
  --json      one JSON line a row
  --quick     natter: under a minute, dhcpd: a quarter of an hour, dns and lb: six minutes; fewer
              sizes, shorter loads
  --rounds N  measure everything N times in turn; rows are medians
              (default: natter 5, quick 3; dhcpd, dns and lb 3, quick 1)
  --hook HOOK natter: forward by programs at tc (default) or tcx
  --case NAME only the cases whose names start so; may be repeated
example: npm run bench -- natter --case udp64-established/1k`;

function fail(message: string, code: number): never {
  console.error(`bench: ${message}`);
  process.exit(code);
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        rounds: { type: 'string' },
        hook: { type: 'string', default: 'tc' },
        case: { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', default: false },
      },
    });
    return { ...values, service: positionals[0] ?? '', extra: positionals.slice(1) };
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : error}\n${USAGE}`, 2);
  }
}

async function main(): Promise<void> {
  const wanted = readArguments();
  if (wanted.help) return console.log(USAGE);
  const entry = benches[wanted.service];
  if (!entry || wanted.extra.length > 0) return fail(USAGE, 2);
  const size = wanted.quick ? 'quick' : 'full';
  const rounds = Number(wanted.rounds ?? entry.rounds[size]);
  if (!Number.isInteger(rounds) || rounds < 1) return fail('--rounds: a number from 1 up', 2);
  const { hook } = wanted;
  if (hook !== 'tc' && hook !== 'tcx') return fail('--hook: tc or tcx', 2);
  if (process.getuid?.() !== 0) {
    return fail('network namespaces and BPF programs need root; run it by sudo', 77);
  }
  const stop = new AbortController();
  const abort = (why: string) => stop.abort(new Error(why));
  process.once('SIGINT', () => abort('interrupted'));
  process.once('SIGTERM', () => abort('terminated'));
  const limit = setTimeout(() => abort('took too long'), entry.limitMinutes[size] * 60_000);
  console.error(`${wanted.service}: ${describeMachine()}`);
  const { signal } = stop;
  const common = { quick: wanted.quick, rounds, cases: wanted.case, signal };
  const options: Omit<BenchOptions, 'progress'> = { ...common, hook };
  const rows: Row[] = [];
  const bench = (await entry.load())({ ...options, progress: (line) => console.error(line) });
  try {
    for await (const row of bench) {
      rows.push(row);
      if (wanted.json) console.log(formatJson(wanted.service, row));
    }
  } finally {
    clearTimeout(limit);
    // One that fails does not take the others' figures with it.
    if (!wanted.json && rows.length > 0) console.log(formatTable(rows));
  }
}

try {
  await main();
} catch (error) {
  fail(error instanceof Error ? error.message : String(error), 1);
}
