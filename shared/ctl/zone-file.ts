// Zone files that edgectl is given, and zones that a dns gives: read, with every problem at its
// place. `-` is stdin.

import { readFileSync, statSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { TYPES } from '../dns/constants.ts';
import { displayName, parseName, ROOT } from '../dns/names.ts';
import type { Name } from '../dns/types.ts';
import { type Parsed, parseZone } from '../dns/zone/parse.ts';
import type { ZoneFiles, ZoneProblem } from '../dns/zone/types.ts';
import { ConfigError, type ConfigProblem, isDenied } from '../errors.ts';
import { nameProblem, parseDnsName } from '../site/dns-name.ts';
import { type Arguments, UsageError } from './command.ts';
import type { Context } from './context.ts';

const SUFFIX = '.zone';
const STDIN = 'stdin';

/** Each is read once, as a pipe can be. */
class DiskFiles implements ZoneFiles {
  readonly #texts = new Map<string, string>();

  put(path: string, text: string): void {
    this.#texts.set(path, text);
  }

  read(path: string): string {
    const known = this.#texts.get(path);
    if (known !== undefined) return known;
    if (statSync(path).isCharacterDevice()) throw new Error('it is a device');
    const text = readFileSync(path, 'latin1');
    this.#texts.set(path, text);
    return text;
  }

  resolve(from: string, path: string): string {
    return resolve(from === STDIN ? '.' : dirname(from), path);
  }
}

/** `file`: as it is named in problems. Not checked yet. */
export type ReadZone = { file: string; origin: Name; zone: string; parsed: Parsed };

/** Of a name as an operator writes it. Throws UsageError. */
export function zoneNamed(text: string): { origin: Name; zone: string } {
  const zone = parseDnsName(text);
  const origin = zone === undefined ? undefined : parseName(zone);
  if (zone !== undefined && origin !== undefined) return { origin, zone };
  throw new UsageError(nameProblem(text) ?? `"${text}" is no name of a zone`);
}

/**
 * `name`: the zone's; without it that of the file (`example.com.zone`), else that of its SOA.
 * Throws UsageError when none of them says it.
 */
export async function readZone(
  { input }: Context,
  path: string,
  name: string | undefined,
): Promise<ReadZone> {
  const files = new DiskFiles();
  const file = path === '-' ? STDIN : path;
  if (path === '-') {
    // A byte is a character to the parser, which knows no encoding.
    files.put(file, Buffer.from(await input.readAll()).toString('latin1'));
  } else {
    await access(path).catch((error: unknown) => {
      if (isDenied(error)) throw error;
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'failed';
      const message = code === 'ENOENT' ? 'does not exist' : `cannot be read: ${code}`;
      throw new ConfigError([{ file, line: 0, column: 0, message }]);
    });
  }
  const { origin, zone } = zoneNamed(name ?? nameOfFile(path) ?? nameOfSoa(file, files));
  return { file, origin, zone, parsed: parseZone(file, origin, files) };
}

function nameOfFile(path: string): string | undefined {
  const name = basename(path);
  return name.endsWith(SUFFIX) ? parseDnsName(name.slice(0, -SUFFIX.length)) : undefined;
}

function nameOfSoa(file: string, files: ZoneFiles): string {
  const { records } = parseZone(file, ROOT, files);
  for (let index = 0; index < records.count; index++) {
    const isSoa = records.type(index) === TYPES.SOA;
    if (isSoa && records.owner(index).length > ROOT.length)
      return displayName(records.owner(index));
  }
  throw new UsageError(`which zone is in ${file}? Give --zone NAME`);
}

/** A zone as a dns gives it. */
export function parseServed(origin: Name, text: string): Parsed {
  return parseZone('served', origin, { read: () => text, resolve: (_, path) => path });
}

export function configProblems(file: string, problems: readonly ZoneProblem[]): ConfigProblem[] {
  return problems
    .filter(({ level }) => level === 'refusal')
    .map(({ place, message }) => ({ ...(place ?? { file, line: 0, column: 0 }), message }));
}

/** Throws a ConfigError with every refusal. */
export function refuseProblems(file: string, problems: readonly ZoneProblem[]): void {
  const refused = configProblems(file, problems);
  if (refused.length > 0) throw new ConfigError(refused);
}

export function warningTexts(problems: readonly ZoneProblem[]): string[] {
  return problems
    .filter(({ level }) => level === 'warning')
    .map(({ place, message }) => {
      const at = place === undefined ? '' : `${place.file}:${place.line}:${place.column}: `;
      return `${at}warning: ${message}`;
    });
}

export function nameFlag(args: Arguments): string | undefined {
  return args.values.get('zone');
}
