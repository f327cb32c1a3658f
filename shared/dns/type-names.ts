// Mnemonics of record types and their codes, those without data of their own too (IANA's registry
// of RFC 6895); any other type is TYPE and its number (RFC 3597 §5). Pure.
import { genericNumber, TYPES } from './constants.ts';

const CODES: Readonly<Record<string, number>> = {
  ...TYPES,
  MD: 3,
  MF: 4,
  MB: 7,
  MG: 8,
  MR: 9,
  NULL: 10,
  WKS: 11,
  MINFO: 14,
  RP: 17,
  AFSDB: 18,
  X25: 19,
  ISDN: 20,
  RT: 21,
  NSAP: 22,
  'NSAP-PTR': 23,
  PX: 26,
  GPOS: 27,
  LOC: 29,
  NXT: 30,
  EID: 31,
  NIMLOC: 32,
  ATMA: 34,
  KX: 36,
  CERT: 37,
  A6: 38,
  SINK: 40,
  APL: 42,
  SSHFP: 44,
  IPSECKEY: 45,
  DHCID: 49,
  TLSA: 52,
  SMIMEA: 53,
  HIP: 55,
  NINFO: 56,
  RKEY: 57,
  TALINK: 58,
  OPENPGPKEY: 61,
  SPF: 99,
  NID: 104,
  L32: 105,
  L64: 106,
  LP: 107,
  EUI48: 108,
  EUI64: 109,
  URI: 256,
  CAA: 257,
  AVC: 258,
  AMTRELAY: 260,
  RESINFO: 261,
  WALLET: 262,
  TA: 32768,
  DLV: 32769,
};

const NAMES = new Map<number, string>(Object.entries(CODES).map(([name, code]) => [code, name]));

/** "MX", "TYPE65280"; undefined when it is no type. Either case. */
export function typeCode(text: string): number | undefined {
  const upper = text.toUpperCase();
  return Object.hasOwn(CODES, upper) ? CODES[upper] : genericNumber(upper, 'TYPE');
}

/** Its mnemonic, or TYPE and its number. */
export function typeName(code: number): string {
  return NAMES.get(code) ?? `TYPE${code}`;
}

/** Whether records of a zone may have it: not 0, OPT, nor those for questions (RFC 6895 §3.1). */
export function isDataType(code: number): boolean {
  return code > 0 && code <= 0xffff && code !== TYPES.OPT && (code < 128 || code > 255);
}
