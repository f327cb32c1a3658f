// Who may do what: clients that transfer out, primaries that say NOTIFY. Pure.
import { compareBytes } from '../../shared/bytes.ts';
import type { AddressBytes } from '../../shared/dns/types.ts';
import { ipv4FromBytes, parseIpv4 } from '../../shared/net/ipv4.ts';
import { ipv6FromBytes } from '../../shared/net/ipv6.ts';
import { parseEndpoint } from '../../shared/net/ports.ts';
import { prefixContains } from '../../shared/net/prefix.ts';
import { addressBytes } from '../transports/addresses.ts';
import type { Primary, TransferPolicy } from './types.ts';

/** `key`: by which the request was signed, and rightly so. Address or key suffices. */
export function mayTransfer(
  policy: TransferPolicy,
  client: AddressBytes,
  key: string | undefined,
): boolean {
  if (key !== undefined && policy.keys.includes(key)) return true;
  return policy.prefixes.some((prefix) =>
    prefix.family === 4
      ? client.length === 4 && prefixContains(prefix, ipv4FromBytes(client))
      : client.length === 16 && prefixContains(prefix, ipv6FromBytes(client)),
  );
}

/**
 * Which of the primaries a message is from: by the key that it is signed by, else by its address.
 * One that is written as a name, not as an address, is known by its key alone.
 */
export function primaryOf(
  primaries: readonly Primary[],
  client: AddressBytes,
  key: string | undefined,
): Primary | undefined {
  const signed = key === undefined ? undefined : primaries.find((each) => each.key === key);
  return signed ?? primaries.find(({ from }) => isAt(from, client));
}

function isAt(peer: string, client: AddressBytes): boolean {
  const host = parseEndpoint(peer)?.host ?? '';
  const isAddress = parseIpv4(host) !== undefined || host.includes(':');
  return isAddress && compareBytes(addressBytes(host), client) === 0;
}
