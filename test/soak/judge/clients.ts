// What clients may see and what not. Pure.
import type { Facts, FaultSeen, Load, Trouble, TroubleKind, Verdict } from '../facts.ts';
import { TOOLS } from '../facts.ts';
import { allowed, during, type Window, windowsOf } from './windows.ts';

const FLOWS: readonly Load[] = ['eip-flows', 'vm-flows', 'l4-flows', 'iperf3'];

type Seen = Pick<Facts, 'troubles' | 'ticks' | 'faults'>;

export const told = ({ load, client, what, atMs }: Trouble, startMs = 0): string =>
  `${startMs === 0 ? '' : `${Math.round((atMs - startMs) / 1000)} s: `}${load}, ${client}: ${what}`;

const doneBy = (ticks: Seen['ticks'], loads: readonly Load[]): number =>
  ticks.filter(({ load }) => loads.includes(load)).reduce((sum, { done }) => sum + done, 0);

function never(
  invariant: string,
  kind: TroubleKind,
  checked: number,
  troubles: readonly Trouble[],
): Verdict {
  const breaches = troubles.filter((trouble) => trouble.kind === kind).map((each) => told(each));
  return { invariant, checked, breaches };
}

/** Whole transfers, and those that were under way. */
export function judgeFlows({ troubles, ticks }: Seen): Verdict {
  const own = troubles.filter(({ load }) => FLOWS.includes(load));
  return never('no reset on flows through EIPs and L4', 'reset', doneBy(ticks, FLOWS), own);
}

const BODIES: readonly Load[] = [
  'eip-flows',
  'vm-flows',
  'l4-flows',
  'eip-requests',
  'l4-requests',
  'l7-http',
  'l7-https',
];

export const judgeBytes = ({ troubles, ticks }: Seen): Verdict =>
  never('no wrong byte', 'corrupt', doneBy(ticks, BODIES), troubles);

/** An answer of neither the asker's line nor its stated overflow. */
export const judgeLines = ({ troubles, ticks }: Seen): Verdict =>
  never('no wrong-line answer', 'wrong-line', doneBy(ticks, ['dns']), troubles);

/** Only while something is the matter may an endpoint be taken for down. */
export function judgeOverflow({ troubles, ticks, faults }: Seen): Verdict {
  const windows = windowsOf(faults);
  const overflows = troubles.filter(({ kind }) => kind === 'overflow');
  const breaches = overflows
    .filter(({ atMs, sinceMs }) => during(windows, sinceMs, atMs).length === 0)
    .map((each) => `${told(each)}, with nothing the matter`);
  const note = `${overflows.length} answers of the overflow in faults`;
  const invariant = 'no answer of the overflow with nothing the matter';
  return { invariant, checked: doneBy(ticks, ['dns']), breaches, note, isTimed: true };
}

export function judgeNaks({ troubles, ticks }: Seen): Verdict {
  const renewed = doneBy(ticks, ['dhcp-renew']);
  return never('no holder of a lease is refused', 'nak', renewed, troubles);
}

/** What of a fault a client saw: told in the table of faults. */
export type Charge = { fault: FaultSeen; load: Load; count: number; allowed: number };
type Charged = { charges: Charge[]; outside: Trouble[] };

/** Each failure is charged to the fault in whose time it lies, best to one that allows it. */
export function charge({ troubles, faults }: Seen): Charged {
  const windows = windowsOf(faults);
  const charges = new Map<string, Charge>();
  const outside: Trouble[] = [];
  for (const trouble of troubles) {
    if (trouble.kind !== 'failed') continue;
    const around = during(windows, trouble.sinceMs, trouble.atMs);
    const isOpen = ({ fault }: Window): boolean => {
      const count = charges.get(keyOf(fault, trouble.load))?.count ?? 0;
      return count < allowed(fault, trouble.load);
    };
    const to = around.find(isOpen) ?? around[0];
    if (to === undefined) outside.push(trouble);
    else add(charges, to.fault, trouble.load);
  }
  return { charges: [...charges.values()], outside };
}

const keyOf = ({ name, victim, struckAtMs }: FaultSeen, load: Load): string =>
  [name, victim, struckAtMs, load].join();

function add(charges: Map<string, Charge>, fault: FaultSeen, load: Load): void {
  const key = keyOf(fault, load);
  const known = charges.get(key) ?? { fault, load, count: 0, allowed: allowed(fault, load) };
  charges.set(key, { ...known, count: known.count + 1 });
}

export function judgeFailures(seen: Seen): Verdict {
  const { charges, outside } = charge(seen);
  // A run of a tool that a fault fell into is not judged: it cannot say which second was which.
  const over = charges.filter(
    ({ count, allowed: most, load }) => count > most && !TOOLS.includes(load),
  );
  const breaches = [
    ...outside.map((each) => `${told(each)}, with nothing the matter`),
    ...over.map(({ fault, load, count, allowed: most }) => {
      return `${fault.name} of ${fault.victim}: ${count} of ${load} failed, at most ${most} may`;
    }),
  ];
  const checked = seen.ticks.reduce((sum, { done }) => sum + done, 0);
  const invariant = 'no failed request beyond the stated';
  return { invariant, checked, breaches, isTimed: true };
}
