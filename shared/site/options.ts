// The options of a subnet, a class or a reservation: stored by code as hex, written by name with
// the values that shared/dhcp's table knows. Which of them an operator may set at all is said here.
import { type Hex, isHex } from './bytes.ts';
import type { Entry } from './entry.ts';
import { codeOf, nameOf, readValue, writeValue } from './option-words.ts';
import type { ObjectProblem } from './problem.ts';
import type { ValueReader } from './value.ts';

/** By code, in decimal. */
export type StoredOptions = Readonly<Record<string, Hex>>;

export const ROUTERS = '3';

/** What the server says itself, or only a client or a relay may say; and what to write instead. */
const OWN: ReadonlyMap<number, string | undefined> = new Map([
  [50, undefined],
  [51, 'write lease'],
  [52, undefined],
  [53, undefined],
  [54, undefined],
  [55, undefined],
  [57, undefined],
  [58, 'it follows from the lease'],
  [59, 'it follows from the lease'],
  [61, undefined],
  [80, 'write rapidCommit in the subnet'],
  [82, undefined],
  [93, undefined],
  [108, 'write ipv6Only in the subnet'],
  [118, undefined],
]);

/** From a stored value. */
export function readStoredOptions(reader: ValueReader): StoredOptions {
  const options: Record<string, Hex> = {};
  for (const [code, hex] of Object.entries(reader.map('options') ?? {})) {
    if (!/^[1-9]\d{0,2}$/.test(code) || Number(code) > 254) {
      reader.refuse(`options: ${code} is not the code of an option: 1 to 254`);
    } else if (typeof hex !== 'string' || !isHex(hex)) {
      reader.refuse(`options: ${code} is not in hex`);
    } else options[code] = hex;
  }
  return options;
}

/** `at` has the code, however the file names the option. */
export function optionProblems(options: StoredOptions): ObjectProblem[] {
  return Object.keys(options).flatMap((code): ObjectProblem[] => {
    if (!OWN.has(Number(code))) return [];
    const remedy = OWN.get(Number(code));
    const message = `option ${code} cannot be configured`;
    return [{ message, at: ['options', code], ...(remedy === undefined ? {} : { remedy }) }];
  });
}

/** What is wrong with one option as it is written, or with all of them. */
export type WrittenProblem = { key?: string; message: string; remedy?: string };

/** From a site file: names or codes, and their values. */
export function readWrittenOptions(written: Record<string, unknown>) {
  const options: Record<string, Hex> = {};
  const { codes, problems: found } = readOptionCodes(Object.keys(written));
  const problems: WrittenProblem[] = [...found];
  for (const [key, code] of codes) {
    const value = readValue(Number(code), written[key]);
    if ('hex' in value) options[code] = value.hex;
    else problems.push({ key, message: value.problem });
  }
  return { options, problems };
}

/** Each key's code, in decimal. */
export function readOptionCodes(keys: readonly string[]) {
  const codes = new Map<string, string>();
  const problems: { key: string; message: string; remedy?: string }[] = [];
  const first = new Map<number, string>();
  for (const key of keys) {
    const code = codeOf(key);
    const before = code === undefined ? undefined : first.get(code);
    if (code === undefined) {
      problems.push({ key, message: `there is no option ${JSON.stringify(key)}` });
    } else if (before !== undefined) {
      problems.push({ key, message: `${key} and ${before} are the same option` });
    } else {
      first.set(code, key);
      codes.set(key, String(code));
    }
  }
  return { codes, problems };
}

/** As readWrittenOptions() takes them back. */
export function writtenOptions(options: StoredOptions): Entry {
  const entries = Object.entries(options).map(([code, hex]) => {
    return [optionName(code), writeValue(Number(code), hex)] as const;
  });
  return Object.fromEntries(entries);
}

/** The name by which a code is written; one that has none is quoted digits. */
export function optionName(code: string): string {
  return nameOf(Number(code)) ?? code;
}

/** Of the keys that a file has, the one that names the option. */
export function keyOfCode(keys: readonly string[], code: string): string | undefined {
  return keys.find((key) => String(codeOf(key)) === code);
}
