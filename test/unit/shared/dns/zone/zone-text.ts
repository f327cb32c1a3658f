// Zones as text, for the tests of shared/dns/zone: files in memory, records and problems as lines.
import { parseName } from '../../../../../shared/dns/names.ts';
import type { Name } from '../../../../../shared/dns/types.ts';
import { loadZone } from '../../../../../shared/dns/zone/load.ts';
import { type Parsed, parseZone } from '../../../../../shared/dns/zone/parse.ts';
import { printZone } from '../../../../../shared/dns/zone/print.ts';
import type { RecordList } from '../../../../../shared/dns/zone/record-list.ts';
import type {
  Zone,
  ZoneFiles,
  ZoneProblem,
  ZoneResult,
} from '../../../../../shared/dns/zone/types.ts';

/** Well formed, with name server and its address; line 5 is the next. */
export const HEAD = `$TTL 300
@ SOA ns hostmaster 7 3600 600 1209600 60
@ NS ns
ns A 192.0.2.53
`;

export const ORIGIN = name('example.com');
/** 2026-11-21, when the tests are. */
export const NOW_SECONDS = 1795219200;

export function name(text: string): Name {
  const made = parseName(text);
  if (made === undefined) throw new Error(`${text} is no name`);
  return made;
}

/** Paths are keys; `z` is what the helpers below read. */
export function filesOf(texts: Readonly<Record<string, string>>): ZoneFiles {
  return {
    read(path) {
      const text = texts[path];
      if (text === undefined) throw new Error(`ENOENT: no such file: ${path}`);
      return text;
    },
    resolve: (from, path) => {
      if (path.startsWith('/')) return path;
      return from.includes('/') ? `${from.slice(0, from.lastIndexOf('/'))}/${path}` : path;
    },
  };
}

export function parsed(text: string, others: Readonly<Record<string, string>> = {}): Parsed {
  return parseZone('z', ORIGIN, filesOf({ ...others, z: text }));
}

export function loaded(text: string, others: Readonly<Record<string, string>> = {}): ZoneResult {
  return loadZone('z', ORIGIN, filesOf({ ...others, z: text }), NOW_SECONDS);
}

/** A zone that has to be one. */
export function zoneOf(text: string): Zone {
  const { zone, problems } = loaded(text);
  if (zone === undefined) throw new Error(told(problems).join('\n'));
  return zone;
}

/** "www.example.com. 300 A 192.0.2.1", in canonical order. */
export function recordLines(records: RecordList, origin = ORIGIN): string[] {
  const text = [...printZone({ origin, records })].join('');
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => line.replace('\tIN\t', '\t').replaceAll('\t', ' '));
}

/** "refusal z:5:1 what is wrong". */
export function told(problems: readonly ZoneProblem[]): string[] {
  return problems.map(({ level, place, message }) => {
    const where = place === undefined ? '-' : `${place.file}:${place.line}:${place.column}`;
    return `${level} ${where} ${message}`;
  });
}
