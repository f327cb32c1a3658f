// What a zone is before it is compiled: a list of records, and what was found wrong with it. Pure.
import type { Name } from '../types.ts';
import type { RecordList } from './record-list.ts';

/** Where a record was written: `file` is a path, or the words that say which site object. */
export type Place = { file: string; line: number; column: number };

export type ZoneProblem = {
  /** Of refusals nothing is served that was not served before; of warnings the zone is. */
  level: 'refusal' | 'warning';
  place: Place | undefined;
  /** What is wrong, with the name, and the remedy. */
  message: string;
};

export type Zone = {
  origin: Name;
  /** The SOA's. */
  serial: number;
  records: RecordList;
};

/**
 * From a zone file or a transfer. With a refusal among the problems there is no zone.
 * All problems are told at once, up to a bound, never only the first.
 */
export type ZoneResult = { zone: Zone | undefined; problems: ZoneProblem[] };

/** What is read of files; injected, so that the parser stays pure. */
export interface ZoneFiles {
  /** The whole text (Latin-1, so that every byte is one character). Throws what fs throws. */
  read(path: string): string;
  /** The path of an $INCLUDE, relative to the file that names it. */
  resolve(from: string, path: string): string;
}
