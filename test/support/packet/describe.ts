// Prints a frame so that a failed test can be read, and two frames so that the difference shows.
import { checkChecksums } from './check.ts';

/** Some lines: one a layer, then wrong checksums, then the bytes. */
export function describeFrame(frame: Uint8Array): string {
  const lines = [`ethernet ${mac(frame, 6)} > ${mac(frame, 0)} type ${hex(word(frame, 12), 4)}`];
  if (word(frame, 12) === 0x0800 && frame.length >= 34) {
    lines.push(...describePacket(frame.subarray(14)));
  }
  lines.push(...checkChecksums(frame).map((problem) => `! ${problem}`));
  return [...lines, ...hexLines(frame)].join('\n');
}

/** Both frames, and the first bytes that differ. */
export function describeDifference(actual: Uint8Array, expected: Uint8Array): string {
  const length = Math.max(actual.length, expected.length);
  const differing = Array.from({ length }, (_, index) => index).filter(
    (index) => actual[index] !== expected[index],
  );
  const listed = differing
    .slice(0, 16)
    .map((at) => `${at}: ${hex(actual[at] ?? -1, 2)} is not ${hex(expected[at] ?? -1, 2)}`);
  return [
    `bytes that differ (${differing.length}): ${listed.join(', ')}`,
    `actual:\n${describeFrame(actual)}`,
    `expected:\n${describeFrame(expected)}`,
  ].join('\n');
}

function describePacket(packet: Uint8Array, indent = '  '): string[] {
  const headerBytes = (byte(packet, 0) & 15) * 4;
  const fragment = word(packet, 6);
  const flags = `${fragment & 0x4000 ? ' DF' : ''}${fragment & 0x2000 ? ' MF' : ''}`;
  const line =
    `ipv4 ${quad(packet, 12)} > ${quad(packet, 16)} protocol ${byte(packet, 9)}` +
    ` ttl ${byte(packet, 8)} ihl ${byte(packet, 0) & 15} length ${word(packet, 2)}` +
    ` id ${hex(word(packet, 4), 4)} offset ${(fragment & 0x1fff) * 8}${flags}` +
    ` checksum ${hex(word(packet, 10), 4)}`;
  if ((fragment & 0x1fff) > 0) return [indent + line];
  const inner = describeBody(byte(packet, 9), packet.subarray(headerBytes), `${indent}  `);
  return [indent + line, ...inner];
}

function describeBody(protocol: number, body: Uint8Array, indent: string): string[] {
  const ports = `${word(body, 0)} > ${word(body, 2)}`;
  if (protocol === 6) return [`${indent}tcp ${ports} checksum ${hex(word(body, 16), 4)}`];
  const names: Record<number, string> = { 17: 'udp', 33: 'dccp', 132: 'sctp', 136: 'udp-lite' };
  const name = names[protocol];
  if (name !== undefined) return [`${indent}${name} ${ports} checksum ${hex(word(body, 6), 4)}`];
  if (protocol !== 1) return [];
  const type = byte(body, 0);
  const line = `${indent}icmp type ${type} code ${byte(body, 1)} checksum ${hex(word(body, 2), 4)}`;
  const quotes = [3, 4, 5, 11, 12].includes(type) && body.length >= 28;
  return quotes ? [line, ...describePacket(body.subarray(8), `${indent}  quotes `)] : [line];
}

function hexLines(frame: Uint8Array): string[] {
  const lines: string[] = [];
  for (let offset = 0; offset < frame.length; offset += 16) {
    const row = Buffer.from(frame.subarray(offset, offset + 16)).toString('hex');
    lines.push(`  ${offset.toString().padStart(4)}  ${row.replace(/..(?=.)/g, '$& ')}`);
  }
  return lines;
}

const byte = (bytes: Uint8Array, offset: number): number => bytes[offset] ?? 0;
const word = (bytes: Uint8Array, offset: number): number =>
  byte(bytes, offset) * 256 + byte(bytes, offset + 1);
const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
const quad = (bytes: Uint8Array, offset: number): string =>
  [...bytes.subarray(offset, offset + 4)].join('.');
const mac = (bytes: Uint8Array, offset: number): string =>
  [...bytes.subarray(offset, offset + 6)].map((octet) => hex(octet, 2)).join(':');
