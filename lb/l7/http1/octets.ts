// Octets of HTTP/1.1 messages and their classes as tables (RFC 9110, 5.5 and 5.6; RFC 9112). Pure.

export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SPACE = 0x20;
export const ZERO = 0x30;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const EQUALS = 0x3d;

/** One number a byte; a byte that is not in `entries` has 0. */
function table(fill: (code: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => fill(code));
}

const TOKEN_CHARACTER = /[!#$%&'*+\-.^_`|~0-9A-Za-z]/;

/** tchar (RFC 9110, 5.6.2): 1, an underscore 3, anything else 0. */
export const TOKEN = table((code) => {
  if (code === 0x5f) return 3;
  return TOKEN_CHARACTER.test(String.fromCharCode(code)) ? 1 : 0;
});

/** What a field value or a reason phrase may hold: HTAB, SP, VCHAR, obs-text. */
export const TEXT = table((code) => (code === TAB || (code >= SPACE && code !== 0x7f) ? 1 : 0));

/** What a request target may hold: VCHAR without `#`; a fragment is never sent. */
export const TARGET = table((code) => (code > SPACE && code < 0x7f && code !== 0x23 ? 1 : 0));

/** Value of a hexadecimal digit, else 255. */
export const HEX = table((code) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(code | 0x20));
  if (code < ZERO || digit < 0) return 255;
  return digit;
});

export function isDigit(code: number): boolean {
  return code >= ZERO && code <= 0x39;
}

/** Are `lower.length` bytes from `at` this text (lower case, of `a-z0-9-`), whatever their case? */
export function isAt(bytes: Uint8Array, at: number, lower: string): boolean {
  for (let i = 0; i < lower.length; i++) {
    if (((bytes[at + i] as number) | 0x20) !== lower.charCodeAt(i)) return false;
  }
  return true;
}

/** The same where `start` to `end` must be just that text. */
export function isText(bytes: Uint8Array, start: number, end: number, lower: string): boolean {
  return end - start === lower.length && isAt(bytes, start, lower);
}
