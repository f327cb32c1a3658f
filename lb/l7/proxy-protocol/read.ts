// Reads a PROXY header of either version (proxy-protocol.txt, 2.1 and 2.2). Strict: a sender that
// is believed must say it right. Pure.
import { formatIpv4, parseIpv4 } from '../../../shared/net/ipv4.ts';
import { formatIpv6, parseIpv6 } from '../../../shared/net/ipv6.ts';
import type { Endpoint, ProxyVerdict } from './types.ts';
import { readVersion2, SIGNATURE } from './version2.ts';

const PREFIX = Buffer.from('PROXY ', 'latin1');
/** Of version 1, with CRLF. */
const MAX_LINE_BYTES = 107;
const LF = 0x0a;

/**
 * The header at `start`; `end`: behind the last byte that has come. A verdict does not change with
 * the bytes that come later.
 */
export function readProxyHeader(bytes: Buffer, start: number, end: number): ProxyVerdict {
  if (end <= start) return 'more';
  const opening = bytes[start] === PREFIX[0] ? PREFIX : SIGNATURE;
  const compared = Math.min(opening.length, end - start);
  for (let i = 0; i < compared; i++) {
    if (bytes[start + i] !== opening[i]) return { refused: 'no-header' };
  }
  if (compared < opening.length) return 'more';
  return opening === PREFIX ? readLine(bytes, start, end) : readVersion2(bytes, start, end);
}

function readLine(bytes: Buffer, start: number, end: number): ProxyVerdict {
  const bound = Math.min(end, start + MAX_LINE_BYTES);
  const lineFeed = bytes.subarray(start, bound).indexOf(LF);
  if (lineFeed < 0) return bound - start < MAX_LINE_BYTES ? 'more' : { refused: 'line-too-long' };
  const line = bytes.toString('latin1', start, start + lineFeed);
  if (!line.endsWith('\r')) return { refused: 'line-end' };
  const words = line.slice(PREFIX.length, -1).split(' ');
  const length = lineFeed + 1;
  if (words[0] === 'UNKNOWN') return { bytes: length };
  const [family, sourceAddress, destinationAddress, sourcePort, destinationPort] = words;
  if (words.length !== 5 || (family !== 'TCP4' && family !== 'TCP6')) return { refused: 'line' };
  const source = endpoint(family, sourceAddress, sourcePort);
  const destination = endpoint(family, destinationAddress, destinationPort);
  if (source === undefined || destination === undefined) return { refused: 'address' };
  return { bytes: length, source, destination };
}

function endpoint(
  family: 'TCP4' | 'TCP6',
  address: string | undefined,
  port: string | undefined,
): Endpoint | undefined {
  if (!/^(0|[1-9][0-9]{0,4})$/.test(port ?? '') || Number(port) > 65_535) return undefined;
  const canonical = family === 'TCP4' ? ipv4Text(address ?? '') : ipv6Text(address ?? '');
  return canonical === undefined ? undefined : { address: canonical, port: Number(port) };
}

function ipv4Text(text: string): string | undefined {
  const address = parseIpv4(text);
  return address === undefined ? undefined : formatIpv4(address);
}

function ipv6Text(text: string): string | undefined {
  const address = parseIpv6(text);
  return address === undefined ? undefined : formatIpv6(address);
}
