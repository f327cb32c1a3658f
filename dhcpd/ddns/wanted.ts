// Which names a change of leases asks for in dns, where a subnet has a zone. A name is one label of
// RFC 1123 §2.1. Pure: names.ts collects what this says, records.ts writes it.

import { toHex } from '../../shared/bytes.ts';
import type { Ipv4 } from '../../shared/net/ipv4.ts';
import { decodeRecord } from '../leases/record.ts';
import { CODE, type Item, type ItemResult } from '../leases/types.ts';
import type { Plan } from '../plan/types.ts';

type Place = { zone: string; address: Ipv4 };
/** As the lease's record says it. `key`: hex, as stored (docs/leases.md §3). */
type Holder = { untilSeconds: number; generation: number; key: string };

/** The client has this name. */
export type NameSet = Place & Holder & { op: 'set'; name: string; reserved: boolean };
/** The client said none this time: what it has stays for as long as its lease. */
export type NameKept = Place & Holder & { op: 'keep' };
/** Nobody before this generation has a name there any more. */
export type NameGone = Place & { op: 'remove'; generation: number };
export type NameChange = NameSet | NameKept | NameGone;

/** `why`: the client's wish, when it was not granted; a counter's label. */
export type Named = { change: NameChange; why?: NameRefusal; name?: string };
export type NameRefusal = 'unfit' | 'reserved' | 'unwanted';

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** Programs trust what they find under these: only a reservation may have one. */
const TRUSTED: ReadonlySet<string> = new Set([
  ...['autoconfig', 'autodiscover', 'isatap', 'localhost', 'mta-sts', 'wpad'],
]);

/** Zones of the plan, each once. */
export function zonesOf({ subnets }: Plan): string[] {
  return [...new Set(subnets.flatMap(({ ddnsZone }) => ddnsZone ?? []))].sort();
}

/** Lower case, without the domain that clients add; undefined: no label. */
export function labelOf(hostname: string): string | undefined {
  const [first = ''] = hostname.toLowerCase().split('.', 1);
  return LABEL.test(first) ? first : undefined;
}

/** Of an item that ran. Undefined: it is about no name. */
export function namedBy(plan: Plan, item: Item, result: ItemResult): Named | undefined {
  const { address, event } = item;
  if (event === undefined || result.code !== CODE.done) return undefined;
  const zone = plan.subnetOf(address)?.ddnsZone;
  if (zone === undefined) return undefined;
  const { toldUntil, generation, key } = decodeRecord(result.record, 0, address);
  const place = { zone, address };
  if (event.type !== 'bind' && event.type !== 'renew') {
    return { change: { op: 'remove', ...place, generation } };
  }
  const holder = { untilSeconds: toldUntil, generation, key: toHex(key) };
  const { hostname } = event;
  if (hostname === undefined) return { change: { op: 'keep', ...place, ...holder } };
  const name = labelOf(hostname);
  const reserved = name !== undefined && labelAt(plan, address) === name;
  const why = reserved ? undefined : refusalOf(plan, place, name, event.noName === true);
  if (why === undefined && name !== undefined) {
    return { change: { op: 'set', ...place, ...holder, name, reserved } };
  }
  // Of this binding too: it goes by another name than before, or by none.
  const gone = { op: 'remove', ...place, generation: generation + 1 } as const;
  return { change: gone, why: why ?? 'unfit', name: hostname };
}

function labelAt(plan: Plan, address: Ipv4): string | undefined {
  const hostname = plan.reservationAt(address)?.hostname;
  return hostname === undefined ? undefined : labelOf(hostname);
}

function refusalOf(
  plan: Plan,
  { zone, address }: Place,
  name: string | undefined,
  noName: boolean,
): NameRefusal | undefined {
  if (noName) return 'unwanted';
  if (name === undefined || TRUSTED.has(name)) return 'unfit';
  const owner = plan.addressOfName(zone, name);
  return owner === undefined || owner === address ? undefined : 'reserved';
}

/** What has to be written for an address when `after` follows on what was not written yet. */
export function merged(before: NameChange | undefined, after: NameChange): NameChange {
  if (before === undefined || after.op !== 'keep' || before.op === 'keep') return after;
  if (before.op === 'remove') return before; // nothing is left to keep
  // Of another client: that the address is not called so any more.
  if (before.key !== after.key) return { ...placeOf(after), op: 'remove', generation: GENERATIONS };
  return { ...before, untilSeconds: after.untilSeconds, generation: after.generation };
}

const GENERATIONS = 2 ** 32;

function placeOf({ zone, address }: Place): Place {
  return { zone, address };
}
