// Finds every wrong checksum in a frame, those of the packet that an ICMP error quotes included.
import { crc32c, onesSum, pseudoHeader } from './sums.ts';

/**
 * One line for each checksum that is wrong; what cannot be told (a fragment, a cut quote) is not.
 */
export function checkChecksums(frame: Uint8Array): string[] {
  if (frame.length < 34 || word(frame, 12) !== 0x0800) return [];
  return checkPacket(frame.subarray(14), '');
}

function checkPacket(packet: Uint8Array, where: string): string[] {
  const headerBytes = (byte(packet, 0) & 15) * 4;
  if (packet.length < 20 || byte(packet, 0) >> 4 !== 4 || headerBytes < 20) return [];
  if (headerBytes > packet.length) return [];
  const problems: string[] = [];
  const headerSum = onesSum(packet.subarray(0, headerBytes));
  if (headerSum !== 0xffff) problems.push(`${where}ipv4 header sums to ${hex(headerSum)}`);
  const total = word(packet, 2);
  const isWhole =
    total >= headerBytes && total <= packet.length && (word(packet, 6) & 0x3fff) === 0;
  if (!isWhole) return problems;
  const body = packet.subarray(headerBytes, total);
  return [...problems, ...checkBody(packet, body, where)];
}

function checkBody(packet: Uint8Array, body: Uint8Array, where: string): string[] {
  const protocol = byte(packet, 9);
  if (protocol === 1) return checkIcmp(body, where);
  if (protocol === 6 && body.length >= 20) return checkPseudo(packet, body, body, `${where}tcp`);
  if (protocol === 17 && body.length >= 8) {
    return word(body, 6) === 0 ? [] : checkPseudo(packet, body, body, `${where}udp`);
  }
  if (protocol === 33 && body.length >= 12) return checkPseudo(packet, body, body, `${where}dccp`);
  if (protocol === 136 && body.length >= 8) {
    const covered = body.subarray(0, word(body, 4) === 0 ? body.length : word(body, 4));
    const zero = word(body, 6) === 0 ? [`${where}udp-lite checksum is 0`] : [];
    return [...zero, ...checkPseudo(packet, body, covered, `${where}udp-lite`)];
  }
  if (protocol === 132 && body.length >= 12) return checkSctp(body, where);
  return [];
}

function checkPseudo(
  packet: Uint8Array,
  body: Uint8Array,
  covered: Uint8Array,
  what: string,
): string[] {
  const view = new DataView(packet.buffer, packet.byteOffset);
  const pseudo = pseudoHeader(view.getUint32(12), view.getUint32(16), byte(packet, 9), body.length);
  const sum = onesSum(Uint8Array.from([...pseudo, ...covered]));
  return sum === 0xffff ? [] : [`${what} sums to ${hex(sum)}`];
}

function checkIcmp(body: Uint8Array, where: string): string[] {
  if (body.length < 8) return [];
  const sum = onesSum(body);
  const problems = sum === 0xffff ? [] : [`${where}icmp sums to ${hex(sum)}`];
  const quotes = [3, 4, 5, 11, 12].includes(byte(body, 0)) && where === '';
  return quotes ? [...problems, ...checkPacket(body.subarray(8), 'quoted ')] : problems;
}

function checkSctp(body: Uint8Array, where: string): string[] {
  const blank = body.slice();
  blank.fill(0, 8, 12);
  const given = new DataView(body.buffer, body.byteOffset).getUint32(8, true);
  return given === crc32c(blank) ? [] : [`${where}sctp crc32c is ${hex(given)}`];
}

const byte = (bytes: Uint8Array, offset: number): number => bytes[offset] ?? 0;
const word = (bytes: Uint8Array, offset: number): number =>
  byte(bytes, offset) * 256 + byte(bytes, offset + 1);
const hex = (value: number): string => `0x${value.toString(16)}`;
