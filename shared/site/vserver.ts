// A virtual server of L4: a port, or a range of ports, of an address that a pool serves. Id:
// `198.51.100.10:80/tcp` or `198.51.100.10:8000-8099/udp`. Pure.
import { formatIpv4, parseIpv4 } from '../net/ipv4.ts';
import type { ObjectRecord } from '../store/types.ts';
import { canonicalValue, ifCanonical } from './canonical.ts';
import { formatForwardFrom, parseForwardFrom, TCP, UDP } from './forward.ts';
import type { VirtualServer } from './lb-objects.ts';
import type { Refusal } from './refusal.ts';
import { refusal } from './refusal.ts';
import { ValueReader } from './value.ts';
import { unless } from './zone.ts';

export const MODES = ['nat', 'dsr'] as const;
export const HASHES = ['source', 'flow'] as const;
export const LOST = ['reset', 'leave'] as const;
export const VSERVER_USUAL = { mode: 'nat', hash: 'flow', lost: 'reset' } as const;

export type VserverAt = Pick<VirtualServer, 'address' | 'protocol' | 'port' | 'lastPort'>;

/** From a stored object. */
export function parseVserver(id: string, value: string): VirtualServer | Refusal {
  const reader = new ValueReader(`vserver ${id}`, value, ['hash', 'lost', 'mode', 'pool']);
  const at = parseVserverAt(id);
  if (at === undefined) reader.refuse('the id is not like 198.51.100.10:80/tcp');
  const oneOf = <T extends string>(key: string, words: readonly T[]) =>
    reader.parsed(key, words.join(' or '), (text) => words.find((each) => each === text));
  const pool = reader.name('pool');
  if (pool === undefined && reader.reasons.length === 0) reader.refuse('there is no pool');
  const more = {
    mode: oneOf('mode', MODES) ?? VSERVER_USUAL.mode,
    hash: oneOf('hash', HASHES) ?? VSERVER_USUAL.hash,
    lost: oneOf('lost', LOST) ?? VSERVER_USUAL.lost,
  };
  if (at === undefined || pool === undefined) return refusal(...reader.reasons);
  const problemsOf = () => [];
  return ifCanonical(
    reader,
    value,
    { ...at, pool, ...more },
    { problemsOf, format: formatVserver },
  );
}

/** `198.51.100.10:80/tcp`; only the canonical spelling, since it is the object's id. */
export function parseVserverAt(text: string): VserverAt | undefined {
  const found = parseForwardFrom(text);
  if (found === undefined) return undefined;
  const { eip, protocol, firstPort: port, lastPort } = found;
  return { address: formatIpv4(eip), protocol: protocol === TCP ? 'tcp' : 'udp', port, lastPort };
}

export function formatVserverAt({ address, protocol, port, lastPort }: VserverAt): string {
  const eip = parseIpv4(address);
  if (eip === undefined) throw new RangeError(address);
  const number = protocol === 'tcp' ? TCP : UDP;
  return formatForwardFrom({ eip, protocol: number, firstPort: port, lastPort });
}

export function formatVserver(vserver: VirtualServer): ObjectRecord {
  const { pool, mode, hash, lost } = vserver;
  const value = canonicalValue({
    pool,
    mode: unless(VSERVER_USUAL.mode, mode),
    hash: unless(VSERVER_USUAL.hash, hash),
    lost: unless(VSERVER_USUAL.lost, lost),
  });
  return { kind: 'vserver', id: formatVserverAt(vserver), value };
}
