// What the readers of list files are told and give back. Pure.
import type { ConfigProblem } from '../../../shared/errors.ts';
import type { LineList } from '../types.ts';

export const FORMATS = ['cidr', 'csv', 'mmdb', 'mrt', 'bgpdump', 'delegated'] as const;
export type ListFormat = (typeof FORMATS)[number];

/** One list file as the settings name it. */
export type LineFileSettings = {
  file: string;
  format: 'auto' | ListFormat;
  /** Of all its prefixes; without it each names its own, or `asns` or `countries` says. */
  line?: string | undefined;
  asns?: Readonly<Record<string, readonly number[]>> | undefined;
  /** ISO 3166 codes by line, `*` for all others; without it each country is a line: `cn`. */
  countries?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Of an mmdb: where the ASN, or with `countries` the country, stands; dots between keys. */
  field?: string | undefined;
};

/** Lines that the settings name, for `nameLines`: they are there even when their files are not. */
export function linesNamedBy(files: readonly LineFileSettings[]): string[] {
  return files.flatMap(({ line, asns, countries }) =>
    line === undefined ? [...Object.keys(asns ?? {}), ...Object.keys(countries ?? {})] : [line],
  );
}

/** A file is good as a whole, or not at all. */
export type Parsed = { list: LineList } | { problems: ConfigProblem[] };
