// Where a reader puts what it finds: entries, by line, ASN or country, and problems, both bounded.
// Pure.
import type { ConfigProblem } from '../../../shared/errors.ts';
import { isName } from '../../../shared/site/value.ts';
import { type Family, ListBuilder } from '../columns.ts';
import { type LineFileSettings, linesNamedBy, type Parsed } from './types.ts';

/** After so many a file is not read further: it is another format, most likely. */
export const PROBLEMS_SHOWN = 20;
export const MAX_PREFIXES = 5_000_000;

const SOURCE_SHOWN = 400;

export class ListSink {
  readonly settings: LineFileSettings;
  readonly #list: ListBuilder;
  readonly #problems: ConfigProblem[] = [];
  #isOver = false;
  readonly #byAsn = new Map<number, number>();
  readonly #byCountry = new Map<string, number>();

  constructor(settings: LineFileSettings) {
    this.settings = settings;
    this.#list = new ListBuilder(settings.file);
    // Named even if the file has nothing for them: who falls back to them is right to.
    for (const line of linesNamedBy([settings])) this.#list.numberOf(line);
    this.#index(settings.asns, this.#byAsn, (asn) => `AS${asn}`);
    this.#index(settings.countries, this.#byCountry, (country) => country);
  }

  /** No more of the file need be read. */
  get isFull(): boolean {
    return this.#isOver || this.#problems.length >= PROBLEMS_SHOWN;
  }

  /** `row` from 1 and `column` from 1 of a text; row 0: the file as a whole. */
  problem(row: number, column: number, message: string, remedy?: string, source?: string): void {
    if (this.isFull) return;
    this.#problems.push({
      file: this.settings.file,
      line: row,
      column,
      message,
      ...(remedy === undefined ? {} : { remedy }),
      ...(source === undefined ? {} : { sourceLine: source.slice(0, SOURCE_SHOWN) }),
    });
  }

  /** The list's number of the line that all entries have; undefined when they name their own. */
  get ownLine(): number | undefined {
    const { line } = this.settings;
    return line === undefined ? undefined : this.#list.numberOf(line);
  }

  /** A line that an entry names; undefined when that is no name. */
  lineNamed(name: string): number | undefined {
    return isName(name) ? this.#list.numberOf(name) : undefined;
  }

  /** Undefined: no line wants it. */
  lineOfAsn(asn: number): number | undefined {
    return this.ownLine ?? this.#byAsn.get(asn);
  }

  lineOfCountry(code: string): number | undefined {
    if (this.settings.line !== undefined) return this.ownLine;
    const country = code.toUpperCase();
    if (this.settings.countries === undefined) return this.lineNamed(country.toLowerCase());
    return this.#byCountry.get(country) ?? this.#byCountry.get('*');
  }

  /** `line` undefined: counted as unmatched. Address words as `ListBuilder.add` takes them. */
  add(
    family: Family,
    address: Uint32Array,
    bits: number,
    line: number | undefined,
    row: number,
  ): void {
    if (line === undefined) {
      this.skip();
    } else if (this.#list.count < MAX_PREFIXES) {
      this.#list.add(family, address, bits, line, row);
    } else {
      this.problem(row, 1, `more than ${MAX_PREFIXES} prefixes`, 'leave out what no line wants');
      this.#isOver = true;
    }
  }

  skip(): void {
    this.#list.skip();
  }

  finish(): Parsed {
    return this.#problems.length > 0 ? { problems: this.#problems } : { list: this.#list.finish() };
  }

  /** A key of two lines is a problem of the settings. */
  #index<Key extends string | number>(
    lines: Readonly<Record<string, readonly Key[]>> | undefined,
    into: Map<Key, number>,
    nameOf: (key: Key) => string,
  ): void {
    const owners = new Map<Key, string>();
    for (const [line, keys] of Object.entries(lines ?? {})) {
      const number = this.#list.numberOf(line);
      for (const key of keys) {
        const owner = owners.get(key);
        if (owner !== undefined && owner !== line) {
          const message = `${nameOf(key)} is given to ${owner} and to ${line}`;
          this.problem(0, 0, message, 'give it to one line');
        }
        owners.set(key, line);
        if (number !== undefined) into.set(key, number);
      }
    }
  }
}
