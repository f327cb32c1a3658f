// `lease list|show|release|history`: what the dhcpd on this host knows, which is what all know.

import { formatIpv4, parseIpv4 } from '../net/ipv4.ts';
import { formatMac, parseMac } from '../net/mac.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import type { Context, Control } from './context.ts';
import { controlOf, fieldsOf, listOf, numberOf } from './control.ts';
import { EXIT } from './exit.ts';
import { writeList } from './list.ts';
import type { Colour } from './output.ts';
import type { Column } from './table.ts';

const NO_END = 0xffffffff;

export type Fields = Record<string, unknown>;
/** `now`: s, by Redis' clock, when the answer was made. */
type Row = { lease: Fields; now: number };

export const optional = (fields: Fields, name: string): string | undefined => {
  const value = fields[name];
  return typeof value === 'string' ? value : undefined;
};

/** `in 12m`, `3h ago`; the coarse unit is enough to read. */
export function formatTime(at: number, now: number): string {
  if (at === NO_END) return 'never';
  const text = roughly(Math.abs(at - now));
  return at >= now ? `in ${text}` : `${text} ago`;
}

function roughly(seconds: number): string {
  if (seconds < 100) return `${seconds}s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)}m`;
  return seconds < 360_000 ? `${Math.round(seconds / 3600)}h` : `${Math.round(seconds / 86400)}d`;
}

const COLOURS: Record<string, Colour> = { bound: 'green', declined: 'red', reserved: 'yellow' };

const COLUMNS: readonly Column<Row>[] = [
  { title: 'ADDRESS', value: ({ lease }) => optional(lease, 'address') },
  {
    title: 'STATE',
    value: ({ lease }) => optional(lease, 'state'),
    colour: ({ lease }) => COLOURS[optional(lease, 'state') ?? ''],
  },
  { title: 'MAC', value: ({ lease }) => optional(lease, 'mac') },
  { title: 'CLIENT-ID', value: ({ lease }) => optional(lease, 'clientId') },
  { title: 'HOSTNAME', value: ({ lease }) => optional(lease, 'hostname') },
  { title: 'EXPIRES', value: ({ lease, now }) => timeOf(lease, 'toldUntil', now) },
  { title: 'HELD', value: ({ lease, now }) => timeOf(lease, 'holdUntil', now) },
];

function timeOf(lease: Fields, name: string, now: number): string | undefined {
  const value = lease[name];
  return typeof value === 'number' && value > 0 ? formatTime(value, now) : undefined;
}

/** Pages of GET /leases. */
export async function* leasePages(
  control: Control,
  filter: Readonly<Record<string, string>>,
): AsyncGenerator<Row[]> {
  let after: string | undefined;
  do {
    const query = new URLSearchParams({ ...filter, ...(after === undefined ? {} : { after }) });
    const answer = fieldsOf(await control.get(`/leases?${query}`), 'leases');
    const now = numberOf(answer, 'now');
    yield listOf(answer, 'leases').map((one) => ({ lease: fieldsOf(one, 'leases'), now }));
    after = optional(answer, 'next');
  } while (after !== undefined);
}

function filterOf(args: Arguments): Record<string, string> {
  const filter: Record<string, string> = {};
  const macText = args.values.get('mac');
  if (macText !== undefined) filter.mac = macOf(macText);
  const state = args.values.get('state');
  if (state !== undefined) filter.state = state;
  return filter;
}

/** Throws UsageError. */
export function macOf(text: string): string {
  const parsed = parseMac(text);
  if (parsed === undefined) throw new UsageError(`"${text}" is no MAC such as 02:00:00:00:00:01`);
  return formatMac(parsed);
}

function addressOf(args: Arguments): string {
  const text = args.positionals[0] ?? '';
  const address = parseIpv4(text);
  if (address === undefined) throw new UsageError(`ADDRESS "${text}" is no IPv4 address`);
  return formatIpv4(address);
}

export const dhcpd = (context: Context, args: Arguments) => controlOf(context, args, 'dhcpd');

export const list: Run = async (context, args) => {
  const rows: Row[] = [];
  for await (const page of leasePages(dhcpd(context, args), filterOf(args))) rows.push(...page);
  await writeList(context, args, { columns: COLUMNS, rows, json: ({ lease }) => lease });
  return EXIT.ok;
};

export const show: Run = async (context, args) => {
  const address = addressOf(args);
  const [first] = await firstPage(dhcpd(context, args), address);
  if (first === undefined) {
    await context.err.line(`edgectl: nobody ever had ${address}`);
    return EXIT.failure;
  }
  if (args.switches.has('json')) {
    await context.out.line(JSON.stringify(first.lease, null, 2));
    return EXIT.ok;
  }
  for (const [name, value] of Object.entries(first.lease)) {
    const isTime = /Until$|At$/.test(name) && typeof value === 'number' && value > 0;
    const extra = isTime ? ` (${formatTime(value, first.now)})` : '';
    await context.out.line(`${name.padEnd(14)}${String(value)}${extra}`);
  }
  return EXIT.ok;
};

async function firstPage(control: Control, address: string): Promise<Row[]> {
  for await (const page of leasePages(control, { address })) return page;
  return [];
}

export const release: Run = async (context, args) => {
  const address = addressOf(args);
  const force = args.switches.has('force');
  const body = { address, ...(force ? { force } : {}) };
  const answer = fieldsOf(await dhcpd(context, args).post('/lease/release', body), 'release');
  if (args.switches.has('json')) await context.out.line(JSON.stringify(answer, null, 2));
  else await context.out.line(`${address} released`);
  return EXIT.ok;
};

const EVENT_COLUMNS: readonly Column<Fields>[] = [
  { title: 'TIME', value: (event) => optional(event, 'time') },
  { title: 'EVENT', value: (event) => optional(event, 'type') },
  { title: 'ADDRESS', value: (event) => optional(event, 'address') },
  { title: 'MAC', value: (event) => optional(event, 'mac') },
  { title: 'HOSTNAME', value: (event) => optional(event, 'hostname') },
  {
    title: 'LEASE',
    right: true,
    value: ({ leaseSeconds }) =>
      typeof leaseSeconds === 'number' ? `${leaseSeconds}s` : undefined,
  },
];

/** An address or a MAC. */
export const history: Run = async (context, args) => {
  const text = args.positionals[0];
  const query = new URLSearchParams();
  if (text !== undefined) {
    if (parseIpv4(text) !== undefined) query.set('address', text);
    else query.set('mac', macOf(text));
  }
  const limit = args.values.get('limit');
  if (limit !== undefined) {
    if (!/^[1-9]\d{0,5}$/.test(limit)) throw new UsageError(`--limit is a count, not "${limit}"`);
    query.set('limit', limit);
  }
  const answer = fieldsOf(await dhcpd(context, args).get(`/lease/history?${query}`), 'history');
  const rows = listOf(answer, 'events').map((one) => fieldsOf(one, 'history'));
  await writeList(context, args, { columns: EVENT_COLUMNS, rows, json: (row) => row });
  return EXIT.ok;
};
