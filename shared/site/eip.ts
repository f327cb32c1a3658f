// An elastic IP: a public address, the private one that it maps to (none: port forwards only), its
// bandwidth limits, and the group whose limit it shares. Id: the address.
import type { Ipv4 } from '../net/ipv4.ts';
import { formatIpv4 } from '../net/ipv4.ts';
import type { ObjectRecord } from '../store/types.ts';
import type { Refusal } from './refusal.ts';
import { refusal } from './refusal.ts';
import { parseHost, ValueReader } from './value.ts';

export type Eip = {
  address: Ipv4;
  private?: Ipv4;
  inBitsPerSecond?: number;
  outBitsPerSecond?: number;
  burstBytes?: number;
  group?: string;
  /** What keeps the object, if that is no operator: `nova`. */
  source?: string;
};

const keys = ['burst', 'group', 'in', 'out', 'private', 'source'];

/** From a stored object. */
export function parseEip(id: string, value: string): Eip | Refusal {
  const reader = new ValueReader(`eip ${id}`, value, keys);
  const address = parseHost(id);
  if (address === undefined) {
    reader.refuse('the id is not the IPv4 address of a host');
    return refusal(...reader.reasons);
  }
  const eip: Eip = { address };
  const inside = reader.host('private');
  if (inside !== undefined) eip.private = inside;
  const inBits = reader.rate('in');
  if (inBits !== undefined) eip.inBitsPerSecond = inBits;
  const outBits = reader.rate('out');
  if (outBits !== undefined) eip.outBitsPerSecond = outBits;
  const burst = reader.burst('burst');
  if (burst !== undefined) eip.burstBytes = burst;
  const group = reader.name('group');
  if (group !== undefined) eip.group = group;
  const source = reader.name('source');
  if (source !== undefined) eip.source = source;
  for (const problem of eipProblems(eip)) reader.refuse(problem);
  return reader.reasons.length === 0 ? eip : refusal(...reader.reasons);
}

/** What is wrong with an EIP in itself, whatever the other objects are. */
export function eipProblems(eip: Eip): string[] {
  const problems: string[] = [];
  if (eip.private === eip.address) problems.push('private is the EIP itself');
  const limited = eip.inBitsPerSecond !== undefined || eip.outBitsPerSecond !== undefined;
  if (eip.burstBytes !== undefined && !limited) problems.push('a burst without a limit in or out');
  return problems;
}

export function formatEip(eip: Eip): ObjectRecord {
  const value = {
    burst: eip.burstBytes,
    group: eip.group,
    in: eip.inBitsPerSecond,
    out: eip.outBitsPerSecond,
    private: eip.private === undefined ? undefined : formatIpv4(eip.private),
    source: eip.source,
  };
  return { kind: 'eip', id: formatIpv4(eip.address), value: JSON.stringify(value) };
}
