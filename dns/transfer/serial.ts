// Serial number arithmetic (RFC 1982 §3.2) of SOA serials: 32 bits that wrap around. Pure.

const HALF = 0x80000000;

/** Negative: `one` is older; 0: the same; undefined: half the circle apart, and so neither. */
export function compareSerials(one: number, other: number): number | undefined {
  const ahead = (one - other) >>> 0;
  if (ahead === 0) return 0;
  if (ahead === HALF) return undefined;
  return ahead < HALF ? 1 : -1;
}

export function isNewerSerial(one: number, than: number): boolean {
  return compareSerials(one, than) === 1;
}
