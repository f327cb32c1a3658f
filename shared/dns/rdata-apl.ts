// APL: lists of address prefixes, each perhaps negated (RFC 3123). Pure.
import { join } from '../bytes.ts';
import { formatIpv4, ipv4FromBytes } from '../net/ipv4.ts';
import { formatIpv6, ipv6FromBytes } from '../net/ipv6.ts';
import { type Field, quote, RdataError, type Row, row } from './fields.ts';
import { ipv4Bytes, ipv6Bytes, numberBytes, numberOf } from './fields-scalar.ts';

const BITS: Readonly<Record<number, number>> = { 1: 32, 2: 128 };
const FORM = /^(!?)([12]):([0-9a-f.:]+)\/(\d{1,3})$/i;

function itemOf(text: string): Uint8Array {
  const [, not, family, address = '', length] = FORM.exec(text) ?? [];
  if (family === undefined || Number(length) > (BITS[Number(family)] ?? 0)) {
    throw new RdataError(`${quote(text)} is not as 1:192.0.2.0/24, 2:2001:db8::/32 or with !`);
  }
  const bytes = family === '1' ? ipv4Bytes(address) : ipv6Bytes(address);
  const part = bytes.subarray(0, bytes.findLastIndex((byte) => byte !== 0) + 1);
  const negation = not === '!' ? 0x80 : 0;
  const head = Uint8Array.of(Number(length), negation + part.length);
  return join([numberBytes(Number(family), 2), head, part]);
}

function textOf(family: number, prefix: number, negated: boolean, part: Uint8Array): string {
  const bits = BITS[family];
  if (bits === undefined) throw new RdataError(`address family ${family} is not known`);
  if (prefix > bits || part.length > bits / 8 || part.at(-1) === 0) {
    throw new RdataError('an address prefix is none');
  }
  const address = new Uint8Array(bits / 8);
  address.set(part);
  const shown =
    family === 1 ? formatIpv4(ipv4FromBytes(address)) : formatIpv6(ipv6FromBytes(address));
  return `${negated ? '!' : ''}${family}:${shown}/${prefix}`;
}

const items: Field = {
  parse(words) {
    const parts: Uint8Array[] = [];
    while (words.left > 0) parts.push(itemOf(words.next('prefix')));
    return join(parts);
  },
  length: (rdata, at) => rdata.length - at,
  format(part) {
    const texts: string[] = [];
    for (let at = 0; at < part.length; ) {
      const [prefix = 0, sized = 0] = part.subarray(at + 2, at + 4);
      const end = at + 4 + (sized & 0x7f);
      if (end > part.length) throw new RdataError('an address prefix is cut off');
      const family = numberOf(part.subarray(at, at + 2));
      texts.push(textOf(family, prefix, sized > 0x7f, part.subarray(at + 4, end)));
      at = end;
    }
    return texts.join(' ');
  },
};

export const aplTypes: readonly Row[] = [row('APL', 3123, [items])];
