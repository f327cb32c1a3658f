// Writes PROXY headers of either version (proxy-protocol.txt, 2.1 and 2.2). Pure.
import { parseIpv4 } from '../../../shared/net/ipv4.ts';
import { formatIpv6, type Ipv6, ipv6ToBytes, parseIpv6 } from '../../../shared/net/ipv6.ts';
import type { Endpoint } from './types.ts';
import { COMMAND, FAMILY, FIXED_BYTES, SIGNATURE } from './version2.ts';

const MAPPED = '::ffff:';

/**
 * The header of `version` that tells of a connection from `source` to `destination`. Where the two
 * are of different families, the IPv4 one is told as IPv4-mapped. Throws when either is no address.
 */
export function writeProxyHeader(version: 1 | 2, source: Endpoint, destination: Endpoint): Buffer {
  const isIpv4 = [source, destination].every(({ address }) => parseIpv4(address) !== undefined);
  return version === 1
    ? writeLine(isIpv4, source, destination)
    : writeBinary(isIpv4, source, destination);
}

function writeLine(isIpv4: boolean, source: Endpoint, destination: Endpoint): Buffer {
  const text = ({ address }: Endpoint) => (isIpv4 ? address : formatIpv6(asIpv6(address)));
  const addresses = `${text(source)} ${text(destination)}`;
  const ports = `${source.port} ${destination.port}`;
  return Buffer.from(`PROXY ${isIpv4 ? 'TCP4' : 'TCP6'} ${addresses} ${ports}\r\n`, 'latin1');
}

function writeBinary(isIpv4: boolean, source: Endpoint, destination: Endpoint): Buffer {
  const bytes = ({ address }: Endpoint) =>
    isIpv4 ? Buffer.from(address.split('.').map(Number)) : ipv6ToBytes(asIpv6(address));
  const [from, to] = [bytes(source), bytes(destination)];
  const fixed = Buffer.alloc(FIXED_BYTES);
  SIGNATURE.copy(fixed);
  fixed[12] = COMMAND.PROXY;
  fixed[13] = isIpv4 ? FAMILY.TCP4 : FAMILY.TCP6;
  fixed.writeUInt16BE(from.length + to.length + 4, 14);
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(source.port, 0);
  ports.writeUInt16BE(destination.port, 2);
  return Buffer.concat([fixed, from, to, ports]);
}

function asIpv6(address: string): Ipv6 {
  const parsed = parseIpv6(address.includes(':') ? address : MAPPED + address);
  if (parsed === undefined) throw new RangeError(`${address} is no address`);
  return parsed;
}
