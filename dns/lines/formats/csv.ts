// CSV (RFC 4180): `start,end,line` or `prefix,line`, or with an AS number in the line's place;
// further columns are not looked at. Addresses as text or as whole numbers. Pure.
import type { Family } from '../columns.ts';
import { type ReadPrefix, readAddress, readPrefix } from './address-text.ts';
import { prefixesOfRange } from './ranges.ts';
import type { ListSink } from './sink.ts';
import { eachLine, readAsn } from './text-lines.ts';

type Field = { text: string; column: number };

const COLUMNS_READ = 3;
const BIGGEST_V4 = 0xffff_ffffn;
const BIGGEST_V6 = (1n << 128n) - 1n;

export function readCsv(text: string, sink: ListSink): void {
  const row = new CsvRow(sink);
  eachLine(text, (source, number) => {
    if (source.trim() !== '' && !source.startsWith('#')) row.read(source, number);
    return !sink.isFull;
  });
}

class CsvRow {
  readonly #sink: ListSink;
  readonly #first = new Uint32Array(4);
  readonly #end = new Uint32Array(4);
  readonly #prefix: ReadPrefix = { family: 4, bits: 0 };
  #source = '';
  #row = 0;
  #entries = 0;

  constructor(sink: ListSink) {
    this.#sink = sink;
  }

  read(source: string, row: number): void {
    this.#source = source;
    this.#row = row;
    const fields = fieldsOf(source);
    const [first, second, third] = fields ?? [];
    if (first === undefined) {
      this.#bad(1, 'a quotation mark is not closed');
    } else if (!this.#isHeading(first)) {
      if (first.text.includes('/')) this.#takePrefix(first, second);
      else if (second !== undefined) this.#takeRange(first, second, third);
      else this.#bad(1, 'expected start,end,line or prefix,line');
    }
  }

  /** Words in the first row: what is below them. */
  #isHeading({ text }: Field): boolean {
    return this.#entries++ === 0 && /^[a-z_ ]+$/i.test(text);
  }

  #takePrefix(prefix: Field, of: Field | undefined): void {
    if (!readPrefix(prefix.text, this.#first, this.#prefix)) {
      this.#bad(prefix.column, `"${prefix.text}" is no prefix`);
      return;
    }
    const line = this.#lineOf(of);
    if (line === 'bad') return;
    this.#sink.add(this.#prefix.family, this.#first, this.#prefix.bits, line, this.#row);
  }

  #takeRange(start: Field, end: Field, of: Field | undefined): void {
    const family = this.#readPair(start, end);
    if (family === undefined) return;
    const line = this.#lineOf(of);
    if (line === 'bad') return;
    const add = (words: Uint32Array, bits: number) =>
      this.#sink.add(family, words, bits, line, this.#row);
    if (!prefixesOfRange(family, this.#first, this.#end, add))
      this.#bad(end.column, `${end.text} is before ${start.text}`, 'swap them');
  }

  #readPair(start: Field, end: Field): Family | undefined {
    if (/^\d+$/.test(start.text) && /^\d+$/.test(end.text)) return this.#readNumbers(start, end);
    const [from, to] = [readAddress(start.text, this.#first), readAddress(end.text, this.#end)];
    const wrong = from === undefined ? start : end;
    if (from === undefined || to === undefined)
      this.#bad(wrong.column, `"${wrong.text}" is no address`);
    else if (from !== to) this.#bad(end.column, 'a range has two addresses of one family');
    else return from;
    return undefined;
  }

  /** Both are IPv6 when one of them is too large for IPv4. */
  #readNumbers(start: Field, end: Field): Family | undefined {
    const isWide = start.text.length > 10 || end.text.length > 10;
    if (!isWide) {
      const [from, to] = [Number(start.text), Number(end.text)];
      if (Math.max(from, to) <= 0xffff_ffff) {
        this.#first[0] = from;
        this.#end[0] = to;
        return 4;
      }
    }
    for (const [field, into] of [
      [start, this.#first],
      [end, this.#end],
    ] as const) {
      const value = field.text.length > 39 ? BIGGEST_V6 + 1n : BigInt(field.text);
      if (value > BIGGEST_V6) {
        this.#bad(field.column, `${field.text} is larger than any address`);
        return undefined;
      }
      for (let at = 0; at < 4; at++)
        into[at] = Number((value >> BigInt(96 - 32 * at)) & BIGGEST_V4);
    }
    return 6;
  }

  #lineOf(field: Field | undefined): number | undefined | 'bad' {
    const { settings, ownLine } = this.#sink;
    if (ownLine !== undefined) return ownLine;
    const text = field?.text ?? '';
    if (settings.asns !== undefined) {
      if (text === '') return undefined; // space that nobody announces
      const asn = readAsn(text);
      if (asn !== undefined) return this.#sink.lineOfAsn(asn);
      this.#bad(field?.column ?? 1, `"${text}" is no AS number`, 'write it as 4134 or AS4134');
      return 'bad';
    }
    if (settings.countries !== undefined) return this.#sink.lineOfCountry(text);
    const line = this.#sink.lineNamed(text);
    if (line !== undefined) return line;
    const remedy = 'set `line` or `asns` for the file, or write the line in its column';
    this.#bad(field?.column ?? 1, `"${text}" is no name of a line`, remedy);
    return 'bad';
  }

  #bad(column: number, message: string, remedy?: string): void {
    this.#sink.problem(this.#row, column, message, remedy, this.#source);
  }
}

/** The first three fields; undefined: a quotation mark is not closed. */
function fieldsOf(source: string): Field[] | undefined {
  const fields: Field[] = [];
  let at = 0;
  while (at <= source.length && fields.length < COLUMNS_READ) {
    while (source[at] === ' ') at++;
    const column = at + 1;
    if (source[at] === '"') {
      const end = closingQuote(source, at + 1);
      if (end < 0) return undefined;
      fields.push({
        text: source
          .slice(at + 1, end)
          .replaceAll('""', '"')
          .trim(),
        column,
      });
      const comma = source.indexOf(',', end);
      at = comma < 0 ? source.length + 1 : comma + 1;
    } else {
      const comma = source.indexOf(',', at);
      const end = comma < 0 ? source.length : comma;
      fields.push({ text: source.slice(at, end).trim(), column });
      at = end + 1;
    }
  }
  return fields;
}

/** A doubled one stands for itself. */
function closingQuote(source: string, from: number): number {
  for (let at = source.indexOf('"', from); at >= 0; at = source.indexOf('"', at + 2)) {
    if (source[at + 1] !== '"') return at;
  }
  return -1;
}
