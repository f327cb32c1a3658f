// Codecs of one number, truth, text or flag, and of lists of numbers (RFC 2132 §2, §3 to §8). Pure.
import { type Codec, listOf, type Parsed, parseEach, quote, refuse } from './codec.ts';

type Width = 1 | 2 | 4;

export type NumberRules = {
  min?: number;
  max?: number;
  /** The only ones there are, by name. */
  names?: Readonly<Record<string, number>>;
};

export const u8 = (rules: NumberRules = {}): Codec => number(1, 0, 0xff, rules);
export const u16 = (rules: NumberRules = {}): Codec => number(2, 0, 0xffff, rules);
export const u32 = (rules: NumberRules = {}): Codec => number(4, 0, 0xffffffff, rules);
export const i32 = (): Codec => number(4, -0x80000000, 0x7fffffff, {});

function number(width: Width, least: number, most: number, rules: NumberRules): Codec {
  const { min = least, max = most, names } = rules;
  const isOne = (value: number) =>
    names === undefined
      ? Number.isInteger(value) && value >= min && value <= max
      : Object.values(names).includes(value);
  const what =
    names === undefined
      ? `a whole number from ${min} to ${max}`
      : `one of ${Object.entries(names)
          .map(([name, code]) => `${name} (${code})`)
          .join(', ')}`;
  return {
    what,
    parse(written) {
      const value = typeof written === 'string' ? names?.[written] : written;
      if (typeof value !== 'number' || !isOne(value))
        return refuse(`${quote(written)} is not ${what}`);
      const bytes = new Uint8Array(width);
      for (let at = 0; at < width; at++) bytes[at] = value >> (8 * (width - 1 - at));
      return { bytes };
    },
    format(bytes) {
      if (bytes.length !== width) return undefined;
      let value = 0;
      for (const byte of bytes) value = value * 256 + byte;
      if (least < 0 && value > most) value -= 2 ** (8 * width);
      if (!isOne(value)) return undefined;
      const name = Object.entries(names ?? {}).find(([, code]) => code === value)?.[0];
      return name ?? value;
    },
  };
}

/** A list with at least one of them. */
export function numbers(item: Codec, width: Width): Codec {
  return {
    what: `a list, each ${item.what}`,
    parse(value) {
      const items = listOf(value);
      return items.length === 0 ? refuse('the list is empty') : parseEach(items, item.parse);
    },
    format(bytes) {
      if (bytes.length === 0 || bytes.length % width !== 0) return undefined;
      const items = Array.from({ length: bytes.length / width }, (_, at) =>
        item.format(bytes.subarray(at * width, (at + 1) * width)),
      );
      return items.includes(undefined) ? undefined : items;
    },
  };
}

export const bool: Codec = {
  what: 'true or false',
  parse: (value) =>
    typeof value === 'boolean'
      ? { bytes: Uint8Array.of(value ? 1 : 0) }
      : refuse(`${quote(value)} is not true or false`),
  format: (bytes) => (bytes.length === 1 && (bytes[0] ?? 2) < 2 ? bytes[0] === 1 : undefined),
};

/** It says all by being there; `false` would be written by leaving it out. */
export const flag: Codec = {
  what: 'true (the option has no value)',
  parse: (value) =>
    value === true || value === null
      ? { bytes: new Uint8Array(0) }
      : refuse(`${quote(value)} is not true: leave the option out for false`),
  format: (bytes) => (bytes.length === 0 ? true : undefined),
  describe: (bytes) => (bytes.length === 0 ? 'present' : undefined),
};

/**
 * At least a byte, in UTF-8. A NUL at the end is what some clients send and none needs (RFC 2132
 * §2): not written, and shown as hex, since it would not come back.
 */
export const text: Codec = {
  what: 'text',
  parse: parseText,
  format(bytes) {
    if (bytes.length === 0) return undefined;
    const value = decodeText(bytes);
    return value === undefined || hasControl(value) ? undefined : value;
  },
  describe(bytes) {
    const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
    const value = decodeText(bytes.subarray(0, end));
    return value === undefined || hasControl(value) ? undefined : JSON.stringify(value);
  },
};

function parseText(value: unknown): Parsed {
  if (typeof value === 'number' || typeof value === 'boolean') {
    return refuse(`${quote(value)} is not text: put it in quotes`);
  }
  if (typeof value !== 'string') return refuse(`${quote(value)} is not text`);
  if (value === '') return refuse('the text is empty');
  if (hasControl(value)) return refuse(`${quote(value)} has characters that cannot be printed`);
  return { bytes: new TextEncoder().encode(value) };
}

/** Undefined: not UTF-8. A mark of byte order stays, as it has to come back. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined; // the one thing it throws for
  }
}

/** C0, DEL, C1, and halves of a pair, which UTF-8 cannot say. */
export function hasControl(value: string): boolean {
  return /[\p{Cc}\p{Cs}]/u.test(value);
}
