// What a codec of an option is: a value as an operator writes it in YAML, and its bytes (RFC 2132
// §2). Pure.
import { join } from '../bytes.ts';

export type Parsed = { bytes: Uint8Array } | { reasons: readonly string[] };

export type Codec = {
  /** What a value has to be, to follow "is not" and "expected": "a list of addresses". */
  what: string;
  parse(value: unknown): Parsed;
  /** What parse() takes back to the same meaning; undefined when the bytes are not of this kind. */
  format(bytes: Uint8Array): unknown;
  /** One line for people; undefined when malformed. Absent: of what format() says. */
  describe?(bytes: Uint8Array): string | undefined;
};

export function refuse(...reasons: string[]): Parsed {
  return { reasons };
}

export function isRefused(parsed: Parsed): parsed is { reasons: readonly string[] } {
  return 'reasons' in parsed;
}

/** A value as a message quotes it. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** Each item's bytes one behind the other, or every reason there is. */
export function parseEach(items: readonly unknown[], parse: (item: unknown) => Parsed): Parsed {
  const parsed = items.map(parse);
  const reasons = parsed.flatMap((each) => (isRefused(each) ? each.reasons : []));
  if (reasons.length > 0) return { reasons };
  return { bytes: join(parsed.map((each) => (isRefused(each) ? new Uint8Array(0) : each.bytes))) };
}

/** One that is not a list is a list of one. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

/** The fields that are there must be known: a misspelt one must not be lost. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function unknownFields(value: Record<string, unknown>, known: readonly string[]): string[] {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => `there is no ${quote(key)} here, only ${known.join(', ')}`);
}

/** Parts that each say their length in one byte; undefined when one runs past the end. */
export function lengthPrefixed(bytes: Uint8Array): Uint8Array[] | undefined {
  const parts: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = at + 1 + (bytes[at] ?? 0);
    if (end > bytes.length) return undefined;
    parts.push(bytes.subarray(at + 1, end));
    at = end;
  }
  return parts;
}

/** A byte for the length, and the part; undefined when it is longer than that can say. */
export function withLength(part: Uint8Array): Uint8Array | undefined {
  return part.length > 255 ? undefined : join([Uint8Array.of(part.length), part]);
}

/** As YAML would have it on one line. */
export function oneLine(value: unknown): string {
  if (Array.isArray(value)) return value.map(oneLine).join(', ');
  if (isRecord(value)) {
    if (typeof value.hex === 'string') return value.hex === '' ? '(empty)' : value.hex;
    const fields = Object.entries(value).map(([key, each]) => `${key} ${oneLine(each)}`);
    return fields.join(' ');
  }
  return typeof value === 'string' ? value : String(value);
}
