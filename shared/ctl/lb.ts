// `lb list|backends`: what the lb on this host serves, and how its targets are.

import type { Arguments, Run } from './command.ts';
import { UsageError } from './command.ts';
import type { Context } from './context.ts';
import { controlOf, fieldsOf, listOf, numberOf } from './control.ts';
import { EXIT } from './exit.ts';
import { type Fields, optional } from './lease.ts';
import { writeList } from './list.ts';
import { someNames } from './names.ts';
import type { Colour } from './output.ts';
import { didYouMean } from './suggest.ts';
import { type Column, writeTable } from './table.ts';

export async function rowsOf(context: Context, args: Arguments, what: string): Promise<Fields[]> {
  const answer = fieldsOf(await controlOf(context, args, 'lb').get(`/${what}`), what);
  return listOf(answer, what).map((one) => fieldsOf(one, what));
}

const text = (title: string, name: string): Column<Fields> => ({
  title,
  value: (row) => optional(row, name),
});
export const count = (title: string, name: string): Column<Fields> => ({
  title,
  right: true,
  value: (row) => numberText(numberOf(row, name)),
});
const names = (title: string, name: string): Column<Fields> => ({
  title,
  value: (row) => someNames(listOf(row, name).map(String)),
});

/** Weights are fractions while a target starts slowly, and where an agent says so. */
export function numberText(value: number): string {
  return String(Math.round(value * 100) / 100);
}

const bad = (is: (row: Fields) => boolean) => (row: Fields) =>
  is(row) ? ('red' as const) : undefined;

const VIEWS: Record<string, readonly Column<Fields>[]> = {
  servers: [
    text('SERVER', 'server'),
    text('POOL', 'pool'),
    text('MODE', 'mode'),
    text('HASH', 'hash'),
    count('FLOWS', 'flows'),
    count('PACKETS IN', 'packetsIn'),
    count('BYTES IN', 'bytesIn'),
    count('PACKETS OUT', 'packetsOut'),
    count('BYTES OUT', 'bytesOut'),
  ],
  listeners: [
    text('LISTENER', 'listener'),
    names('AT', 'at'),
    text('PROTOCOL', 'protocol'),
    count('OPEN', 'open'),
    count('ACCEPTED', 'accepted'),
    count('SHED', 'shed'),
    count('DENIED', 'denied'),
    { ...text('PROBLEM', 'problem'), colour: () => 'red' },
  ],
  routes: [
    text('ROUTE', 'route'),
    names('HOSTS', 'hosts'),
    names('PATHS', 'paths'),
    text('TO', 'to'),
    count('REQUESTS', 'requests'),
    { ...count('ERRORS', 'errors'), colour: bad((row) => numberOf(row, 'errors') > 0) },
  ],
  pools: [
    text('POOL', 'pool'),
    text('ALGORITHM', 'algorithm'),
    count('TARGETS', 'targets'),
    { ...count('UP', 'up'), colour: bad((row) => numberOf(row, 'up') === 0) },
    count('QUEUED', 'queued'),
    count('RETRIES', 'retries'),
    {
      title: 'FAIL-OPEN',
      value: (row) => (row.isFailOpen === true ? 'yes' : undefined),
      colour: () => 'red',
    },
  ],
};
export const LISTED = Object.keys(VIEWS);

/** One of them as `get KIND` has it, all of them as `get`. */
export const list: Run = async (context, args) => {
  const [what] = args.positionals;
  if (what !== undefined && !LISTED.includes(what)) {
    const hint = didYouMean(what, LISTED);
    throw new UsageError(`lb lists ${LISTED.join(', ')}, not "${what}"${hint}`);
  }
  if (what !== undefined) {
    const rows = await rowsOf(context, args, what);
    await writeList(context, args, { columns: VIEWS[what] ?? [], rows, json: (row) => row });
    return EXIT.ok;
  }
  const all: [string, Fields[]][] = [];
  for (const each of LISTED) all.push([each, await rowsOf(context, args, each)]);
  if (args.switches.has('json')) {
    await context.out.line(JSON.stringify(Object.fromEntries(all), null, 2));
    return EXIT.ok;
  }
  const some = all.filter(([, rows]) => rows.length > 0);
  for (const [at, [each, rows]] of some.entries()) {
    if (at > 0) await context.out.line('');
    await writeTable(context.out, VIEWS[each] ?? [], rows);
  }
  if (some.length === 0) await context.err.line('edgectl: the lb of this host serves nothing yet');
  return EXIT.ok;
};

/** Worst first; what keeps an `up` target from new requests is its state, too. */
const STATES = ['down', 'ejected', 'drain', 'full', 'bound', 'weight-0', 'tier', 'up'];
const COLOURS: Record<string, Colour> = { down: 'red', ejected: 'red', up: 'green' };

function stateOf(row: Fields): string {
  const health = optional(row, 'health') ?? '';
  return health === 'up' ? (optional(row, 'skipped') ?? health) : health;
}

/** Of targets that no virtual server uses there is none. */
function ofL4(title: string, name: string): Column<Fields> {
  return {
    title,
    right: true,
    value: (row) => (row[name] === null ? undefined : numberText(numberOf(row, name))),
  };
}

const BACKEND_COLUMNS: readonly Column<Fields>[] = [
  text('POOL', 'pool'),
  text('TARGET', 'target'),
  { title: 'STATE', value: stateOf, colour: (row) => COLOURS[stateOf(row)] ?? 'yellow' },
  {
    title: 'WEIGHT',
    right: true,
    value: (row) =>
      `${numberText(numberOf(row, 'weightNow'))}/${numberText(numberOf(row, 'weight'))}`,
  },
  count('OPEN', 'open'),
  count('REQUESTS', 'requests'),
  { ...count('FAILED', 'failures'), colour: bad((row) => numberOf(row, 'failures') > 0) },
  count('EJECTED', 'ejections'),
  {
    title: 'LATENCY',
    right: true,
    value: (row) => latencyText(numberOf(row, 'latencyMs')),
  },
  ofL4('FLOWS', 'flows'),
  ofL4('BYTES IN', 'bytesIn'),
  text('WHY', 'why'),
];

/** 0: nothing was measured yet. */
function latencyText(latencyMs: number): string | undefined {
  if (latencyMs === 0) return undefined;
  return latencyMs < 10 ? `${latencyMs.toFixed(1)}ms` : `${Math.round(latencyMs)}ms`;
}

type L4Counts = { flows: number; bytesIn: number };

/** By pool and target, what virtual servers have sent there. */
async function l4Counts(context: Context, args: Arguments): Promise<Map<string, L4Counts>> {
  const { l4 } = fieldsOf(await controlOf(context, args, 'lb').get('/status'), 'status');
  if (l4 === null || l4 === undefined) return new Map();
  const rows = listOf(fieldsOf(l4, 'l4'), 'targets').map((one) => fieldsOf(one, 'targets'));
  return new Map(
    rows.map((row) => {
      const meter = fieldsOf(row.meter, 'meter');
      const counts = {
        flows: numberOf(meter, 'connections'),
        bytesIn: numberOf(meter, 'in_bytes'),
      };
      return [`${row.pool} ${row.id}`, counts];
    }),
  );
}

export const backends: Run = async (context, args) => {
  const [pool] = args.positionals;
  const counts = await l4Counts(context, args);
  const all = (await rowsOf(context, args, 'targets')).map(
    (row): Fields => ({
      ...row,
      ...(counts.get(`${row.pool} ${row.target}`) ?? { flows: null, bytesIn: null }),
    }),
  );
  const rows = pool === undefined ? all : all.filter((row) => row.pool === pool);
  // In turn: what is equal stays in the order of the pools and their targets.
  const rank = (row: Fields) => STATES.indexOf(stateOf(row));
  rows.sort((a, b) => rank(a) - rank(b) || numberOf(b, 'failures') - numberOf(a, 'failures'));
  await writeList(context, args, { columns: BACKEND_COLUMNS, rows, json: (row) => row });
  if (pool === undefined || rows.length > 0) return EXIT.ok;
  const pools = [...new Set(all.map((row) => String(row.pool)))];
  const hint = didYouMean(pool, pools);
  await context.err.line(`edgectl: the lb of this host uses no pool ${pool}${hint}`);
  return EXIT.failure;
};
