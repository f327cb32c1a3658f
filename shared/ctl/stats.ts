// `eip stats`: what natters metered for each EIP: the one on this host, or with --all the sum of
// all live ones.

import { describeError, OperationalError } from '../errors.ts';
import { formatIpv4, parseIpv4 } from '../net/ipv4.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import type { Context } from './context.ts';
import { controlOf, fieldsOf, listOf, numberOf, textOf } from './control.ts';
import { addressOf } from './eip.ts';
import { EXIT } from './exit.ts';
import { writeList } from './list.ts';
import { formatAge, type Heard, isLive, nodeNames } from './members.ts';
import { adminToken, withStore } from './session.ts';
import type { Column } from './table.ts';

type Meter = {
  address: string;
  inPackets: number;
  inBytes: number;
  outPackets: number;
  outBytes: number;
};

const SERVICE = 'natter';
const ADDRESSES_A_PAGE = 200; // a request line of about 5 kB

const COLUMNS: readonly Column<Meter>[] = [
  { title: 'ADDRESS', value: (row) => row.address },
  { title: 'IN-PACKETS', right: true, value: (row) => row.inPackets },
  { title: 'IN-BYTES', right: true, value: (row) => row.inBytes },
  { title: 'OUT-PACKETS', right: true, value: (row) => row.outPackets },
  { title: 'OUT-BYTES', right: true, value: (row) => row.outBytes },
];

function meter(value: unknown): Meter {
  const fields = fieldsOf(value, 'stats');
  return {
    address: textOf(fields, 'address'),
    inPackets: numberOf(fields, 'inPackets'),
    inBytes: numberOf(fields, 'inBytes'),
    outPackets: numberOf(fields, 'outPackets'),
    outBytes: numberOf(fields, 'outBytes'),
  };
}

function metersOf(answer: unknown): Meter[] {
  return listOf(fieldsOf(answer, 'stats'), 'eips').map(meter);
}

function pathOf(asked: readonly string[]): string {
  const query = new URLSearchParams();
  for (const address of asked) query.append('address', address);
  return asked.length === 0 ? '/stats' : `/stats?${query}`;
}

const order = (row: Meter) => parseIpv4(row.address) ?? 0;

/** Rows on stdout; false: some of what was asked for is not there. */
async function tell(
  context: Context,
  args: Arguments,
  rows: readonly Meter[],
  asked: readonly string[],
  whose: string,
): Promise<boolean> {
  const sorted = rows.toSorted((a, b) => order(a) - order(b));
  await writeList(context, args, { columns: COLUMNS, rows: sorted, json: (row) => row });
  const found = new Set(rows.map(({ address }) => address));
  const missing = asked.filter((address) => !found.has(address));
  for (const address of missing) await context.err.line(`edgectl: ${whose} no EIP ${address}`);
  return missing.length === 0;
}

async function local(context: Context, args: Arguments, asked: readonly string[]): Promise<number> {
  const answer = fieldsOf(await controlOf(context, args).get(pathOf(asked)), 'stats');
  const complete = await tell(context, args, metersOf(answer), asked, 'this natter has');
  if (!args.switches.has('json')) {
    const who = typeof answer.node === 'string' ? answer.node : 'the natter on this host';
    await context.err.line(`edgectl: metered by ${who} alone; --all adds up all natters`);
  }
  return complete ? EXIT.ok : EXIT.failure;
}

/** Adds what the member metered to the sums; else why it could not be asked. */
async function addMember(
  context: Context,
  member: Heard,
  asked: readonly string[],
  sums: Map<string, Meter>,
  token: string | undefined,
): Promise<string | undefined> {
  if (!isLive(member)) return `silent for ${formatAge(member.ageMs)}`;
  if (member.address === undefined) return 'its admin pages are on loopback only (admin.listen)';
  const rows: Meter[] = [];
  try {
    for (let at = 0; at < asked.length; at += ADDRESSES_A_PAGE) {
      const path = pathOf(asked.slice(at, at + ADDRESSES_A_PAGE));
      rows.push(...metersOf(await context.getAdmin(member.address, path, token)));
    }
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    return describeError(error);
  }
  for (const row of rows) sums.set(row.address, plus(sums.get(row.address), row));
  return undefined;
}

function plus(sum: Meter | undefined, row: Meter): Meter {
  if (sum === undefined) return row;
  return {
    address: row.address,
    inPackets: sum.inPackets + row.inPackets,
    inBytes: sum.inBytes + row.inBytes,
    outPackets: sum.outPackets + row.outPackets,
    outBytes: sum.outBytes + row.outBytes,
  };
}

async function everywhere(
  context: Context,
  args: Arguments,
  asked: readonly string[],
): Promise<number> {
  if (asked.length === 0) throw new UsageError('--all needs the ADDRESSes to add up');
  if (args.values.has('socket')) throw new UsageError('--all and --socket exclude each other');
  const members = await withStore(context, args, (store) => store.members(SERVICE));
  const sums = new Map<string, Meter>();
  const token = await adminToken(context, args);
  const added = (member: Heard) => addMember(context, member, asked, sums, token);
  const left = await Promise.all(members.map(added));
  const counted = members.filter((_, at) => left[at] === undefined);
  const none = counted.length === 0;
  const complete = none || (await tell(context, args, [...sums.values()], asked, 'they have'));
  for (const [at, member] of members.entries()) {
    if (left[at] !== undefined) await context.err.line(`edgectl: not ${member.node}: ${left[at]}`);
  }
  if (none) {
    await context.err.line(`edgectl: no ${SERVICE} could be asked`);
    return EXIT.notRunning;
  }
  if (!args.switches.has('json')) await context.err.line(`edgectl: sum of ${nodeNames(counted)}`);
  return complete && counted.length === members.length ? EXIT.ok : EXIT.failure;
}

export const stats: Run = (context, args) => {
  const asked = args.positionals.map((text) => formatIpv4(addressOf(text, 'ADDRESS')));
  const once = [...new Set(asked)];
  return args.switches.has('all') ? everywhere(context, args, once) : local(context, args, once);
};
