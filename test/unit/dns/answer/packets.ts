// Messages as tests write them: by hand, byte after byte, and how they look in hex.
import { parseName } from '../../../../shared/dns/names.ts';

/** Of hex; spaces are welcome. */
export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'));
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export const hex16 = (value: number): string => value.toString(16).padStart(4, '0');

/** A name in wire form, in the case as written. */
export function nameHex(text: string): string {
  const name = parseName(text);
  if (name === undefined) throw new RangeError(`"${text}" is no name`);
  return hexOf(name);
}

export function questionHex(name: string, type = 1, qclass = 1): string {
  return nameHex(name) + hex16(type) + hex16(qclass);
}

export type Opt = { bytes?: number; version?: number; flags?: number; options?: string };

/** An OPT record; `options` are hex. */
export function optHex({ bytes = 1232, version = 0, flags = 0, options = '' }: Opt = {}): string {
  const data = options.replaceAll(/\s/g, '');
  const ttl = `00${version.toString(16).padStart(2, '0')}${hex16(flags)}`;
  return `000029${hex16(bytes)}${ttl}${hex16(data.length / 2)}${data}`;
}

export function optionHex(code: number, data = ''): string {
  const hex = data.replaceAll(/\s/g, '');
  return hex16(code) + hex16(hex.length / 2) + hex;
}

/** The option of a client subnet: FAMILY, SOURCE, SCOPE, ADDRESS. */
export function ecsHex(family: number, source: number, address: string, scope = 0): string {
  const [sourceByte, scopeByte] = [source, scope].map((bits) => bits.toString(16).padStart(2, '0'));
  return optionHex(8, hex16(family) + sourceByte + scopeByte + address);
}

export type Asked = { id?: number; flags?: number; counts?: string; question?: string };

/** A query of one question, with RD, and what stands behind the question. */
export function queryHex(
  { id = 0x1234, flags = 0x0100, counts, question = questionHex('www.example.com') }: Asked,
  ...records: string[]
): string {
  const numbers = counts ?? `0001 0000 0000 ${hex16(records.length)}`;
  return hex16(id) + hex16(flags) + numbers + question + records.join('');
}
