// Numbers of the protocol, by name: header bits, opcodes, rcodes, classes, types that code speaks
// of, EDNS options (RFC 1035 §4.1.1, RFC 6895, RFC 6891, RFC 8945, RFC 8914). Pure.

/** The second 16 bits of a header. */
export const FLAGS = {
  QR: 0x8000,
  AA: 0x0400,
  TC: 0x0200,
  RD: 0x0100,
  RA: 0x0080,
  Z: 0x0040,
  AD: 0x0020,
  CD: 0x0010,
} as const;

export const OPCODES = { QUERY: 0, IQUERY: 1, STATUS: 2, NOTIFY: 4, UPDATE: 5, DSO: 6 } as const;

/** From 16 on they need EDNS or TSIG to be said; TSIG and cookies share 16 and up. */
export const RCODES = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  YXRRSET: 7,
  NXRRSET: 8,
  NOTAUTH: 9,
  NOTZONE: 10,
  BADVERS: 16,
  BADSIG: 16,
  BADKEY: 17,
  BADTIME: 18,
  BADTRUNC: 22,
  BADCOOKIE: 23,
} as const;

export const CLASSES = { IN: 1, CH: 3, HS: 4, NONE: 254, ANY: 255 } as const;

/** Types by which code decides something; the whole table is rdata.ts'. */
export const TYPES = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  SIG: 24,
  KEY: 25,
  AAAA: 28,
  SRV: 33,
  NAPTR: 35,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  NSEC3: 50,
  NSEC3PARAM: 51,
  CDS: 59,
  CDNSKEY: 60,
  CSYNC: 62,
  ZONEMD: 63,
  SVCB: 64,
  HTTPS: 65,
  TKEY: 249,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  MAILB: 253,
  MAILA: 254,
  ANY: 255,
  /** Private, never on the wire: an alias at an apex; A and AAAA are those of its target. */
  ALIAS: 65401,
} as const;

export const EDNS_OPTIONS = {
  NSID: 3,
  ECS: 8,
  COOKIE: 10,
  KEEPALIVE: 11,
  PADDING: 12,
} as const;

/** OPT's TTL field: DO is the highest bit of its lower half (RFC 3225). */
export const EDNS_DO = 0x8000;

export const HEADER_BYTES = 12;
/** A pointer has 14 bits. */
export const MAX_POINTER = 0x3fff;
export const MAX_NAME_BYTES = 255;
export const MAX_LABEL_BYTES = 63;

/** The opcode in the second 16 bits of a header. */
export const opcodeOf = (flags: number): number => (flags >>> 11) & 15;

/** The header's four bits of it; OPT has the others (edns.ts). */
export const rcodeOf = (flags: number): number => flags & 15;

const rcodeNames = new Map<number, string>(
  Object.entries(RCODES)
    .filter(([name]) => name !== 'BADSIG')
    .map(([name, code]) => [code, name]),
);

/** As people know it: "NXDOMAIN"; "RCODE3841" for one without a name. */
export function rcodeName(code: number): string {
  return rcodeNames.get(code) ?? `RCODE${code}`;
}

/** Of "IN" or "CLASS1", in either case; undefined when it is no class. */
export function classCode(text: string): number | undefined {
  const upper = text.toUpperCase();
  if (Object.hasOwn(CLASSES, upper)) return CLASSES[upper as keyof typeof CLASSES];
  return genericNumber(upper, 'CLASS');
}

/** The number behind a prefix in capitals: "TYPE123" (RFC 3597 §5); undefined beyond 16 bits. */
export function genericNumber(upper: string, prefix: 'CLASS' | 'TYPE'): number | undefined {
  const digits = upper.startsWith(prefix) ? upper.slice(prefix.length) : '';
  if (!/^\d{1,5}$/.test(digits)) return undefined;
  const value = Number(digits);
  return value > 0xffff ? undefined : value;
}
