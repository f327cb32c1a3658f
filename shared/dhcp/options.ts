// Options as site files have them, a map of names and values, to bytes and back, and in words.
// Pure.

import { toHex } from '../bytes.ts';
import { didYouMean } from '../config/suggest.ts';
import { isRefused, oneLine, type Parsed } from './codec.ts';
import { hex, hexValue, isLikeHex, parseHexValue } from './hex.ts';
import { codeOfKey, keyOfCode, optionByCode, optionNames, refusalOf } from './option-table.ts';

/** More than a whole Ethernet frame's reply could hold beside what has to be in it. */
export const OPTION_BYTES_MAX = 1024;

export type OptionProblem = { key: string; message: string; remedy?: string };
export type ParsedOptions = { values: Map<number, Uint8Array>; problems: OptionProblem[] };

/** Every problem there is; `values` has what is well. */
export function parseOptions(record: Record<string, unknown>): ParsedOptions {
  const values = new Map<number, Uint8Array>();
  const problems: OptionProblem[] = [];
  const keys = new Map<number, string>();
  for (const [key, value] of Object.entries(record)) {
    const code = codeOfKey(key);
    if (code === undefined) {
      problems.push(unknownName(key));
      continue;
    }
    const before = keys.get(code);
    keys.set(code, key);
    const refusal = refusalOf(code);
    if (refusal !== undefined) {
      const message = `option ${code} cannot be configured: ${refusal.message}`;
      problems.push({ key, ...refusal, message });
    } else if (before !== undefined) {
      problems.push({ key, message: `${key} and ${before} are the same option` });
    } else {
      const parsed = parseOption(code, value);
      if (isRefused(parsed)) problems.push(...parsed.reasons.map((message) => ({ key, message })));
      else values.set(code, parsed.bytes);
    }
  }
  return { values, problems };
}

function unknownName(key: string): OptionProblem {
  const message = `there is no option ${JSON.stringify(key)}`;
  const isNumber = /^\d+$/.test(key);
  const remedy = isNumber ? 'codes are from 1 to 254' : didYouMean(key, optionNames);
  const other = 'write its code as the key and { hex: "…" } as its value';
  return { key, message, remedy: remedy ?? other };
}

/** One value, whoever may set the option; hex is taken for every one. */
export function parseOption(code: number, value: unknown): Parsed {
  const codec = optionByCode(code)?.codec ?? hex;
  const parsed = parseHexValue(value) ?? codec.parse(value);
  if (isRefused(parsed) || parsed.bytes.length <= OPTION_BYTES_MAX) return parsed;
  return {
    reasons: [`${parsed.bytes.length} bytes are more than the ${OPTION_BYTES_MAX} allowed`],
  };
}

/** As parseOption() takes it back; hex where it is not what its row says. */
export function formatOption(code: number, bytes: Uint8Array): unknown {
  const value = optionByCode(code)?.codec.format(bytes);
  return value === undefined || isLikeHex(value) ? hexValue(bytes) : value;
}

/** As parseOptions() takes it back. */
export function formatOptions(values: ReadonlyMap<number, Uint8Array>): Record<string, unknown> {
  const entries = [...values].map(([code, bytes]) => {
    return [keyOfCode(code), formatOption(code, bytes)] as const;
  });
  return Object.fromEntries(entries);
}

/** The value in one line, for people. Never fails: what is malformed is said to be. */
export function describeOption(code: number, bytes: Uint8Array): string {
  const row = optionByCode(code);
  if (row === undefined) return bytes.length === 0 ? '(empty)' : toHex(bytes);
  const { format, describe } = row.codec;
  const value = describe === undefined ? format(bytes) : describe(bytes);
  if (value !== undefined) return oneLine(value) || '(empty)';
  return bytes.length === 0 ? '(empty: malformed)' : `${toHex(bytes)} (malformed)`;
}
