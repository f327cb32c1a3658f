// `source: nova`: keeps EIPs equal to the floating IPs of an OpenStack database. This part is
// pure: from rows and stored objects to changes. It owns only what it wrote, and leaves limits and
// groups to operators.

import { formatIpv4, ipv4 } from '../shared/net/ipv4.ts';
import { type Eip, formatEip, parseEip } from '../shared/site/eip.ts';
import { parseForwardFrom } from '../shared/site/forward.ts';
import { isRefusal } from '../shared/site/refusal.ts';
import { parseHost } from '../shared/site/value.ts';
import type { Change, ObjectRecord } from '../shared/store/types.ts';

export const SOURCE = 'nova';
/** A database this small may well lose half of its rows in a day's work. */
const SHRINK_FROM = 10;

/** One row of floating_ips joined with fixed_ips. */
export type FloatingIp = { address: unknown; fixed: unknown };

export type NovaPlan = {
  changes: Change[];
  /** Rows and objects that stay out, and why. */
  skipped: string[];
  /** Set: apply nothing. */
  refused?: string;
};

type Stored = { eips: Map<number, Eip>; forwarded: Set<number> };

export function planNova(
  rows: readonly FloatingIp[],
  records: readonly ObjectRecord[],
  isShrinkConfirmed: boolean,
): NovaPlan {
  const skipped: string[] = [];
  const stored = readStored(records);
  const wanted = readRows(rows, stored, skipped);
  const changes: Change[] = [];
  const owned = [...stored.eips.values()].filter(({ source }) => source === SOURCE);
  const gone = owned.filter(({ address }) => !wanted.has(address));
  for (const eip of gone) changes.push(farewell(eip, stored));
  for (const [address, inside] of wanted) {
    const known = stored.eips.get(address) ?? { address: ipv4(address), source: SOURCE };
    if (known.private === inside) continue;
    changes.push(formatEip({ ...known, private: ipv4(inside) }));
  }
  const shrinks = owned.length >= SHRINK_FROM && gone.length * 2 > owned.length;
  if (!shrinks || isShrinkConfirmed) return { changes, skipped };
  const refused = `${gone.length} of ${owned.length} floating IPs would go`;
  return { changes: [], skipped, refused };
}

function readStored(records: readonly ObjectRecord[]): Stored {
  const eips = new Map<number, Eip>();
  const forwarded = new Set<number>();
  for (const { kind, id, value } of records) {
    if (kind === 'forward') {
      const from = parseForwardFrom(id);
      if (from !== undefined) forwarded.add(from.eip);
    }
    if (kind !== 'eip') continue;
    const eip = parseEip(id, value);
    if (!isRefusal(eip)) eips.set(eip.address, eip);
  }
  return { eips, forwarded };
}

/** Floating IP → fixed IP; a fixed IP goes with the lowest of its floating ones. */
function readRows(
  rows: readonly FloatingIp[],
  stored: Stored,
  skipped: string[],
): Map<number, number> {
  const wanted = new Map<number, number>();
  const takenBy = new Map<number, number>();
  for (const eip of stored.eips.values()) {
    if (eip.source !== SOURCE && eip.private !== undefined) takenBy.set(eip.private, eip.address);
  }
  const pairs = rows.flatMap((row) => {
    const [address, fixed] = [hostOf(row.address), hostOf(row.fixed)];
    if (address !== undefined && fixed !== undefined) return [[address, fixed] as const];
    skipped.push(`${String(row.address)} → ${String(row.fixed)}: not two IPv4 addresses`);
    return [];
  });
  for (const [address, fixed] of pairs.sort(([a], [b]) => a - b)) {
    const known = stored.eips.get(address);
    const other = takenBy.get(fixed);
    if (known !== undefined && known.source !== SOURCE) {
      if (known.private !== fixed) skipped.push(`${show(address)}: an operator's eip stands there`);
    } else if (other !== undefined && other !== address) {
      skipped.push(`${show(address)}: ${show(fixed)} is mapped by ${show(other)} already`);
    } else {
      wanted.set(address, fixed);
      takenBy.set(fixed, address);
    }
  }
  return wanted;
}

/** An EIP with port forwards of an operator stays for them, without its mapping. */
function farewell(eip: Eip, { forwarded }: Stored): Change {
  const record = formatEip(eip);
  if (!forwarded.has(eip.address)) return { ...record, value: null };
  const { private: _mapped, ...rest } = eip;
  return formatEip(rest);
}

function hostOf(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  return parseHost(value);
}

const show = (address: number): string => formatIpv4(ipv4(address));
