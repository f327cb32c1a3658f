// Master files (RFC 1035 §5, TTLs by RFC 2308 §4) into a list of records: entries, their owners,
// TTLs and data. Directives are parse-directives.ts'. Pure.
import { CLASSES, TYPES } from '../constants.ts';
import { quote } from '../fields.ts';
import { formatName, isSubdomain, parseName } from '../names.ts';
import { isDataType } from '../rdata.ts';
import type { Name } from '../types.ts';
import { directive } from './parse-directives.ts';
import { fastRdata } from './parse-fast.ts';
import { Mistake, type PlacedToken, rdataOf, type Spot } from './parse-rdata.ts';
import { Meanings } from './parse-words.ts';
import { Places } from './places.ts';
import { Problems } from './problems.ts';
import { RecordList } from './record-list.ts';
import { BLANK, BROKEN, END, LINE_END, QUOTED, Scanner, WORD } from './scan.ts';
import { minimumOf } from './soa.ts';
import type { Place, ZoneFiles, ZoneProblem } from './types.ts';

/** Records as they were written, not yet checked (check.ts). */
export type Parsed = {
  records: RecordList;
  /** Of a record's tag. */
  placeOf: (tag: number) => Place | undefined;
  problems: ZoneProblem[];
  /** Whether a refusal is among the problems; then records are missing. */
  refused: boolean;
};

/** `path` as `files` knows it; `origin` is the zone's name and the first $ORIGIN. Never throws. */
export function parseZone(path: string, origin: Name, files: ZoneFiles): Parsed {
  const parser = new ZoneParser(origin, files);
  try {
    parser.include(path, origin);
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    const place = { file: path, line: 1, column: 1 };
    parser.problems.add(
      'refusal',
      () => place,
      () => error.message,
    );
  }
  return {
    records: parser.records,
    placeOf: (tag) => parser.places.placeOf(tag),
    problems: parser.problems.list(),
    refused: parser.problems.refusals > 0,
  };
}

/** What is restored at the end of an $INCLUDE. */
type FileState = {
  readonly path: string;
  readonly scanner: Scanner;
  origin: Name;
  owner: Name | undefined;
  /** Whether the owner is one of the zone. */
  isInside: boolean;
};

/** The rest is not read, so that a file of something else takes no time; fewer are told. */
const MAX_MISTAKES = 10_000;
const MAX_INCLUDE_DEPTH = 16;
const MAX_INCLUDES = 1000;
/** As many as the longest data of one TXT. */
const MAX_WORDS = 65535;

/** `last`: the kind of a token that is not consumed yet, or was the entry's last. */
export class ZoneParser {
  readonly records = new RecordList();
  readonly places = new Places();
  readonly problems = new Problems();
  /** $TTL, or the minimum of a SOA that had no TTL before it. */
  defaultTtlSeconds: number | undefined;
  /** Records that $GENERATE has made. */
  generated = 0;
  readonly #zone: Name;
  readonly #files: ZoneFiles;
  readonly #meanings = new Meanings();
  readonly #open: FileState[] = [];
  #included = 0;
  #state: FileState | undefined;
  #kind = END;
  #lastTtlSeconds: number | undefined;
  /** Of this entry. */
  #ttlSeconds: number | undefined;

  constructor(zone: Name, files: ZoneFiles) {
    this.#zone = zone;
    this.#files = files;
  }

  get file(): FileState {
    if (this.#state === undefined) throw new RangeError('no file is open');
    return this.#state;
  }

  /** Reads all of a file, within another or as the first. Throws Mistake when it cannot be read. */
  include(path: string, origin: Name): void {
    const parent = this.#state;
    if (this.#open.some((each) => each.path === path)) {
      throw new Mistake(`${quote(path)} is being read already: an $INCLUDE of itself`);
    }
    if (this.#open.length >= MAX_INCLUDE_DEPTH) {
      throw new Mistake(`more than ${MAX_INCLUDE_DEPTH} files within each other`);
    }
    if (++this.#included > MAX_INCLUDES) throw new Mistake(`more than ${MAX_INCLUDES} $INCLUDEs`);
    const scanner = new Scanner(this.#read(path));
    const { owner, isInside } = parent ?? { owner: undefined, isInside: true };
    this.#state = { path, scanner, origin, owner, isInside };
    this.#open.push(this.#state);
    this.places.enter(path, 1);
    this.#entries();
    this.#open.pop();
    this.#state = parent;
    if (parent !== undefined) {
      this.#kind = LINE_END;
      this.places.enter(parent.path, parent.scanner.line + 1);
    }
  }

  /** The path of an $INCLUDE of this file. */
  resolve(path: string): string {
    return this.#files.resolve(this.file.path, path);
  }

  #read(path: string): string {
    let text: string;
    try {
      text = this.#files.read(path);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Mistake(`${quote(path)} cannot be read: ${why}`);
    }
    if (!text.startsWith('\u00ef\u00bb\u00bf')) return text;
    throw new Mistake(`${quote(path)} begins with a byte order mark: save it without one`);
  }

  #entries(): void {
    const { scanner } = this.file;
    for (;;) {
      const kind = scanner.next();
      if (kind === END) return;
      if (this.problems.refusals >= MAX_MISTAKES) return;
      this.#kind = kind;
      if (kind === LINE_END) continue;
      const { line, column } = scanner;
      try {
        this.#entry();
      } catch (error) {
        if (!(error instanceof Mistake)) throw error;
        this.#tell(error, { line, column });
      }
    }
  }

  #tell(mistake: Mistake, start: Spot): void {
    const { path, scanner } = this.file;
    this.problems.add(
      'refusal',
      () => ({ file: path, ...(mistake.at ?? start) }),
      () => mistake.message,
    );
    scanner.skipEntry(this.#kind);
  }

  /** The next token of this entry; throws Mistake for what is none. */
  next(): number {
    const { scanner } = this.file;
    this.#kind = scanner.next();
    if (this.#kind === BROKEN) throw new Mistake(scanner.broken, this.spot());
    return this.#kind;
  }

  get isQuoted(): boolean {
    return this.#kind === QUOTED;
  }

  get atEnd(): boolean {
    return this.#kind === LINE_END || this.#kind === END;
  }

  /** Of the last token. */
  spot(): Spot {
    const { line, column } = this.file.scanner;
    return { line, column };
  }

  /** The last token's text, or Mistake when it is none. */
  word(what: string): string {
    if (this.#kind === WORD || this.#kind === QUOTED) return this.file.scanner.word();
    throw new Mistake(`the ${what} is missing`, this.spot());
  }

  endEntry(): void {
    if (this.atEnd) return;
    throw new Mistake(`${quote(this.word('end'))} is a word too many`, this.spot());
  }

  /** In wire form, completed by the origin. */
  nameOf(text: string, what: string): Name {
    const { origin } = this.file;
    if (text === '@') return origin;
    const name = parseName(text, origin);
    if (name !== undefined) return name;
    throw new Mistake(
      `${what} ${quote(text)} is not a name (labels have 1 to 63 bytes, names at most 255)`,
      this.spot(),
    );
  }

  #entry(): void {
    const { file } = this;
    const { scanner } = file;
    if (this.#kind === BROKEN) throw new Mistake(scanner.broken, this.spot());
    const tag = this.places.tagOf(scanner.line);
    if (this.#kind === BLANK) {
      this.next();
      if (this.atEnd) return;
    } else {
      const text = scanner.word();
      if (this.#kind === WORD && text.startsWith('$')) {
        directive(this, text, tag);
        return;
      }
      this.own(this.nameOf(text, 'the owner'));
      this.next();
    }
    if (file.owner === undefined) throw new Mistake('there is no owner before this record');
    const type = this.header();
    const rdata = this.#rdata(type);
    this.add(type, rdata, tag);
  }

  /** Makes a name the owner of this entry, and of those that name none after it. */
  own(name: Name): void {
    const { file } = this;
    file.owner = name;
    const { line, column } = file.scanner;
    file.isInside = isSubdomain(name, this.#zone);
    if (file.isInside) return;
    this.problems.add(
      'warning',
      () => ({ file: file.path, line, column }),
      () => `${formatName(name)} is not in the zone ${formatName(this.#zone)}: left out`,
    );
  }

  /** Of the entry's owner; nothing when it is outside of the zone. */
  add(type: number, rdata: Uint8Array, tag: number): void {
    const { owner, isInside } = this.file;
    const ttlSeconds = this.#ttlOf(type, rdata);
    if (owner !== undefined && isInside) this.records.add(owner, type, ttlSeconds, rdata, tag);
  }

  /** TTL and class in either order, both may be missing, and the type, which it returns. */
  header(): number {
    this.#ttlSeconds = undefined;
    let hasClass = false;
    for (;;) {
      const text = this.word('type');
      const meaning = this.#meanings.of(text);
      if (meaning.class !== undefined && !hasClass) {
        if (meaning.class !== CLASSES.IN) {
          throw new Mistake(`class ${text} is not served: only IN is`, this.spot());
        }
        hasClass = true;
      } else if (meaning.ttlSeconds !== undefined && this.#ttlSeconds === undefined) {
        this.#ttlSeconds = meaning.ttlSeconds;
      } else return this.#typeOf(text, meaning.type);
      this.next();
    }
  }

  #typeOf(text: string, type: number | undefined): number {
    if (type === undefined) {
      throw new Mistake(`${quote(text)} is not a TTL, a class, or a type of record`, this.spot());
    }
    if (isDataType(type)) return type;
    throw new Mistake(`${text} is a type for questions, not of records`, this.spot());
  }

  /** By RFC 2308 §4: its own, $TTL's; without them (as BIND does) the last one that was written. */
  #ttlOf(type: number, rdata: Uint8Array): number {
    if (this.#ttlSeconds !== undefined) {
      this.#lastTtlSeconds = this.#ttlSeconds;
      return this.#ttlSeconds;
    }
    const ttlSeconds = this.defaultTtlSeconds ?? this.#lastTtlSeconds;
    if (ttlSeconds !== undefined) return ttlSeconds;
    if (type !== TYPES.SOA)
      throw new Mistake('there is no TTL: write $TTL before the first record');
    this.defaultTtlSeconds = minimumOf(rdata);
    return this.defaultTtlSeconds;
  }

  #rdata(type: number): Uint8Array {
    const { scanner, origin } = this.file;
    const typeSpot = this.spot();
    const tokens: PlacedToken[] = [];
    if (this.next() === WORD) {
      const { start, end, line, column } = scanner;
      this.next();
      if (this.atEnd) {
        const fast = fastRdata(type, scanner.text, start, end, origin);
        if (fast !== undefined) return fast;
      }
      tokens.push({ text: scanner.text.slice(start, end), quoted: false, line, column });
    }
    while (!this.atEnd) {
      if (tokens.length >= MAX_WORDS) throw new Mistake(`more than ${MAX_WORDS} words`);
      const { line, column } = scanner;
      tokens.push({ text: this.word('data'), quoted: this.isQuoted, line, column });
      this.next();
    }
    return rdataOf(type, tokens, origin, typeSpot);
  }
}
