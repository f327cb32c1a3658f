// The options of a subnet, a class or a reservation: stored by code as hex, written by name with
// the values that shared/dhcp's table knows. Which of them an operator may set at all is said here.
import { codeOfKey, keyOfCode as nameOfCode, refusalOf } from '../dhcp/option-table.ts';
import { formatOptions, parseOptions } from '../dhcp/options.ts';
import { bytesOf, type Hex, hexOf, isHex } from './bytes.ts';
import type { Entry } from './entry.ts';
import type { ObjectProblem } from './problem.ts';
import type { ValueReader } from './value.ts';

/** By code, in decimal. */
export type StoredOptions = Readonly<Record<string, Hex>>;

export const ROUTERS = '3';

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
    const refused = refusalOf(Number(code));
    if (refused === undefined) return [];
    const message = `option ${code} cannot be configured: ${refused.message}`;
    return [{ ...refused, message, at: ['options', code] }];
  });
}

/** From a site file: names or codes, and their values. `key` is one of those written. */
export function readWrittenOptions(written: Record<string, unknown>) {
  const { values, problems } = parseOptions(written);
  const entries = [...values].map(([code, bytes]) => [code, hexOf(bytes)]);
  const options: StoredOptions = Object.fromEntries(entries);
  return { options, problems };
}

/** Each key's code, in decimal. */
export function readOptionCodes(keys: readonly string[]) {
  const codes = new Map<string, string>();
  const problems: { key: string; message: string }[] = [];
  for (const key of keys) {
    const code = codeOfKey(key);
    const isTwice = code !== undefined && [...codes.values()].includes(String(code));
    if (isTwice) problems.push({ key, message: `option ${code} is there twice` });
    else if (code !== undefined) codes.set(key, String(code));
    else problems.push({ key, message: `there is no option ${JSON.stringify(key)}` });
  }
  return { codes, problems };
}

/** As readWrittenOptions() takes them back. */
export function writtenOptions(options: StoredOptions): Entry {
  const values = Object.entries(options).map(
    ([code, hex]) => [Number(code), bytesOf(hex)] as const,
  );
  return formatOptions(new Map(values)) as Entry; // what an operator writes in YAML
}

/** The name by which a code is written; one that has none is quoted digits. */
export function optionName(code: string): string {
  return nameOfCode(Number(code));
}

/** Of the keys that a file has, the one that names the option. */
export function keyOfCode(keys: readonly string[], code: string): string | undefined {
  return keys.find((key) => String(codeOfKey(key)) === code);
}
