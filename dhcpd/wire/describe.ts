// A DHCP message in lines of words, for explain and trace. Never fails: what cannot be read is said
// to be, and shown as hex. Pure.
import { toHex } from '../../shared/bytes.ts';
import { keyOfCode, optionByCode } from '../../shared/dhcp/option-table.ts';
import { describeOption } from '../../shared/dhcp/options.ts';
import { formatIpv4, type Ipv4 } from '../../shared/net/ipv4.ts';
import { parseReply, parseRequest, type ServerMessage } from './parse.ts';
import { BROADCAST_FLAG, MESSAGE, type Options, type Request } from './types.ts';

const PARAMETER_LIST = 55;
const CLIENT_ID = 61;
/** Said in the first line. */
const MESSAGE_TYPE = 53;

const typeNames = new Map<number, string>(
  Object.entries(MESSAGE).map(([name, code]) => [code, name]),
);

/** Of any datagram; first its kind, then its fields that are not zero, then a line an option. */
export function describePacket(bytes: Uint8Array): string[] {
  const isReply = bytes[0] === 2;
  const message = isReply ? parseReply(bytes) : parseRequest(bytes);
  if (typeof message !== 'string') return describeMessage(message);
  return [`not a DHCP message (${message}), ${bytes.length} bytes`];
}

export function describeMessage(message: Request | ServerMessage): string[] {
  return [headLine(message), ...fieldLines(message), ...describeOptions(message.options)];
}

/** `DISCOVER xid 3903f326 from 02:00:00:00:00:01, 300 bytes` */
export function headLine(message: Request | ServerMessage): string {
  const { messageType, xid, chaddr, htype, byteLength } = message;
  const type = typeNames.get(messageType) ?? `message type ${messageType}`;
  const hardware = chaddr.length === 0 ? 'no hardware address' : colons(chaddr);
  const kind = htype === 1 ? '' : ` (hardware type ${htype})`;
  const towards = 'yiaddr' in message ? 'to' : 'from';
  const id = xid.toString(16).padStart(8, '0');
  return `${type} xid ${id} ${towards} ${hardware}${kind}, ${byteLength} bytes`;
}

function fieldLines(message: Request | ServerMessage): string[] {
  const { ciaddr, giaddr, secs, flags } = message;
  const addresses: [string, Ipv4][] =
    'yiaddr' in message
      ? [
          ['client address (ciaddr)', ciaddr],
          ['your address (yiaddr)', message.yiaddr],
          ['next server (siaddr)', message.siaddr],
          ['relay (giaddr)', giaddr],
        ]
      : [
          ['client address (ciaddr)', ciaddr],
          ['relay (giaddr)', giaddr],
        ];
  const lines = addresses
    .filter(([, address]) => address !== 0)
    .map(([name, address]) => `${name}: ${formatIpv4(address)}`);
  if ('hops' in message && message.hops > 0) lines.push(`hops: ${message.hops}`);
  if (secs > 0) lines.push(`seconds since it began: ${secs}`);
  if ((flags & BROADCAST_FLAG) !== 0) lines.push('wants its answer as a broadcast');
  if ('serverName' in message) {
    if (message.serverName !== '') lines.push(`server name: ${JSON.stringify(message.serverName)}`);
    if (message.bootFile !== '') lines.push(`boot file: ${JSON.stringify(message.bootFile)}`);
  }
  return lines;
}

/** `option 3 routers: 10.1.0.1`, in the order in which they came. */
export function describeOptions(options: Options): string[] {
  return [...options]
    .filter(([code]) => code !== MESSAGE_TYPE)
    .map(([code, bytes]) => {
      const name = optionByCode(code)?.name;
      const label = name === undefined ? `option ${code}` : `option ${code} ${name}`;
      return `${label}: ${valueText(code, bytes)}`;
    });
}

function valueText(code: number, bytes: Uint8Array): string {
  if (code === PARAMETER_LIST) return Array.from(bytes, keyOfCode).join(', ');
  if (code === CLIENT_ID) return clientIdText(bytes);
  return describeOption(code, bytes);
}

/** RFC 2132 §9.14: a hardware type and its address; RFC 4361: 255, IAID and DUID. */
export function clientIdText(bytes: Uint8Array): string {
  if (bytes.length === 7 && bytes[0] === 1) return `Ethernet ${colons(bytes.subarray(1))}`;
  if (bytes.length > 5 && bytes[0] === 255) {
    return `IAID ${toHex(bytes.subarray(1, 5))} DUID ${toHex(bytes.subarray(5))}`;
  }
  return colons(bytes);
}

function colons(bytes: Uint8Array): string {
  return toHex(bytes).replace(/..(?=.)/g, '$&:');
}
