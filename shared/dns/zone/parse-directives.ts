// Directives of master files: $ORIGIN and $INCLUDE (RFC 1035 §5.1), $TTL (RFC 2308 §4), and BIND's
// $GENERATE and $DATE. Pure.
import { quote, RdataError } from '../fields.ts';
import { parsePeriod } from '../fields-scalar.ts';
import { dataWords } from './data-words.ts';
import { expand, parseRange, parseTemplate, rangeSize, type Template } from './generate.ts';
import type { ZoneParser } from './parse.ts';
import { Mistake, type PlacedToken, rdataOf, type Spot } from './parse-rdata.ts';

/** Of all $GENERATEs of a zone together: a typing error is not to fill the memory. */
const MAX_GENERATED = 1 << 20;
/** Of all records of a zone, when one more is made: wide numbers make long ones. */
const MAX_GENERATED_BYTES = 256 * 1024 * 1024;

/** `word` is its first, just read; `tag` its line's. Throws Mistake. */
export function directive(parser: ZoneParser, word: string, tag: number): void {
  const known = DIRECTIVES.get(word.toUpperCase());
  if (known === undefined) {
    const names = [...DIRECTIVES.keys()].join(', ');
    throw new Mistake(`${quote(word)} is no directive (known: ${names})`, parser.spot());
  }
  parser.next();
  known(parser, tag);
}

const DIRECTIVES: ReadonlyMap<string, (parser: ZoneParser, tag: number) => void> = new Map([
  ['$ORIGIN', setOrigin],
  ['$TTL', setTtl],
  ['$INCLUDE', include],
  ['$GENERATE', generate],
  ['$DATE', date],
]);

function setOrigin(parser: ZoneParser): void {
  const origin = parser.nameOf(parser.word('origin'), 'the origin');
  parser.next();
  parser.endEntry();
  parser.file.origin = origin;
}

function setTtl(parser: ZoneParser): void {
  const text = parser.word('TTL');
  const seconds = parsePeriod(text);
  if (seconds === undefined) {
    const message = `${quote(text)} is not seconds, nor as "1h30m" with units`;
    throw new Mistake(message, parser.spot());
  }
  parser.next();
  parser.endEntry();
  parser.defaultTtlSeconds = seconds;
}

/** TTLs go on after it, origin and owner are as before. */
function include(parser: ZoneParser): void {
  const path = parser.resolve(parser.word('file'));
  let { origin } = parser.file;
  parser.next();
  if (!parser.atEnd) {
    origin = parser.nameOf(parser.word('origin'), 'the origin');
    parser.next();
  }
  parser.endEntry();
  parser.include(path, origin);
}

/** When a dump was written: nothing to do with records. */
function date(parser: ZoneParser): void {
  parser.word('date');
  parser.next();
  parser.endEntry();
}

function generate(parser: ZoneParser, tag: number): void {
  const text = parser.word('range');
  const range = parseRange(text);
  if (range === undefined) {
    throw new Mistake(`${quote(text)} is no range as 1-10 or 0-254/2`, parser.spot());
  }
  parser.generated += rangeSize(range);
  if (parser.generated > MAX_GENERATED) {
    throw new Mistake(`more than ${MAX_GENERATED} records by $GENERATE`, parser.spot());
  }
  parser.next();
  const owner = template(parser, 'owner');
  const type = parser.header();
  const spot = parser.spot();
  parser.next();
  const data = template(parser, 'data');
  parser.endEntry();
  const { owner: before, isInside } = parser.file;
  for (let value = range.first; value <= range.last; value += range.step) {
    parser.own(parser.nameOf(expanded(owner, value), 'the owner'));
    const tokens = wordsOf(expanded(data, value), spot);
    parser.add(type, rdataOf(type, tokens, parser.file.origin, spot), tag);
    if (parser.records.byteLength > MAX_GENERATED_BYTES) {
      throw new Mistake(`more than ${MAX_GENERATED_BYTES} bytes of records by $GENERATE`);
    }
  }
  // A record after it without an owner is of the one before it.
  Object.assign(parser.file, { owner: before, isInside });
}

function template(parser: ZoneParser, what: string): Template {
  const quoted = parser.isQuoted;
  const text = parser.word(what);
  // Data in quotation marks is a line of words; its own marks are escaped.
  const made = parseTemplate(quoted ? text.replace(/\\(.)/gs, unescapeQuote) : text);
  if (made === undefined) {
    const message = `${quote(text)} has a $\{…} that is not as $\{offset,width,base}`;
    throw new Mistake(`${message} (base: d, o, x, X, n or N)`, parser.spot());
  }
  parser.next();
  return made;
}

const unescapeQuote = (whole: string, character: string): string =>
  character === '"' ? character : whole;

function expanded(parts: Template, value: number): string {
  const text = expand(parts, value);
  if (text !== undefined) return text;
  throw new Mistake(`the offset leads from ${value} below 0 or above 2147483647`);
}

/** Its words all stand where the directive is. */
function wordsOf(text: string, { line, column }: Spot): PlacedToken[] {
  try {
    return dataWords(text, 'skip').map((token) => ({ ...token, line, column }));
  } catch (error) {
    if (!(error instanceof RdataError)) throw error;
    throw new Mistake(`its data ${quote(text)} is not one line of words: ${error.message}`);
  }
}
