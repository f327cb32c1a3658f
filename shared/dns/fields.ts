// What record data is made of: fields one behind the other, each with its way from words to bytes
// and back (RFC 1035 §3.3, §5.1; RFC 3597 §5), and rows of the table of types made of them. Pure.
import { fromHex, join, toHex } from '../bytes.ts';
import { nameLength } from './names.ts';
import { typeCode } from './type-names.ts';
import type { Name, RecordType, Token } from './types.ts';

/** Record data that is none, in words for whoever wrote the zone; the caller adds the place. */
export class RdataError extends Error {
  override readonly name = 'RdataError';
}

export type Field = {
  /** Takes its words and returns its bytes. Throws RdataError. */
  parse(words: Words): Uint8Array;
  /** Bytes that it has at `at`, by what is there; may say more than there are. */
  length(rdata: Uint8Array, at: number): number;
  /** Of exactly its bytes; '' when it has no words. Throws RdataError for what is none of it. */
  format(part: Uint8Array): string;
  /** It is a name. `compressible`: RFC 1035 lets answers compress it; `received`: others did. */
  isName?: 'plain' | 'received' | 'compressible';
  /** Where in its bytes names begin, of a field that has some among others; never compressed. */
  names?(part: Uint8Array): readonly number[];
};

export type Row = RecordType & { fields: readonly Field[] };

/** A text as a message quotes it. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

/** The words of a record's data, taken one after the other. */
export class Words {
  readonly #tokens: readonly Token[];
  readonly origin: Name;
  #at = 0;

  constructor(tokens: readonly Token[], origin: Name) {
    this.#tokens = tokens;
    this.origin = origin;
  }

  get left(): number {
    return this.#tokens.length - this.#at;
  }

  /** `what` is told when there is no other: "the preference is missing". */
  token(what: string): Token {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new RdataError(`the ${what} is missing`);
    this.#at++;
    return token;
  }

  /** Not taken; undefined when there is none. */
  get ahead(): Token | undefined {
    return this.#tokens[this.#at];
  }

  next(what: string): string {
    return this.token(what).text;
  }

  /** All that are left, without what separated them. */
  rest(): string {
    const texts = this.#tokens.slice(this.#at).map(({ text }) => text);
    this.#at = this.#tokens.length;
    return texts.join('');
  }

  end(): void {
    const token = this.#tokens[this.#at];
    if (token !== undefined) throw new RdataError(`${quote(token.text)} is a word too many`);
  }
}

/** As zone files have it. */
export const upperHex = (bytes: Uint8Array): string => toHex(bytes).toUpperCase();

/** `\# length hex` (RFC 3597 §5). */
export function formatGeneric(rdata: Uint8Array): string {
  return rdata.length === 0 ? '\\# 0' : `\\# ${rdata.length} ${upperHex(rdata)}`;
}

/** Undefined: the words do not claim to be of that form. */
export function parseGeneric(tokens: readonly Token[], origin: Name): Uint8Array | undefined {
  const [first] = tokens;
  if (first === undefined || first.quoted || first.text !== '\\#') return undefined;
  const words = new Words(tokens.slice(1), origin);
  const length = words.next('length after \\#');
  const digits = words.rest();
  const bytes = fromHex(digits);
  if (bytes === undefined) throw new RdataError(`${quote(digits)} is not pairs of hex digits`);
  if (!/^\d{1,5}$/.test(length) || Number(length) !== bytes.length) {
    throw new RdataError(`\\# says ${quote(length)} bytes, but ${bytes.length} follow`);
  }
  return sized(bytes);
}

function sized(rdata: Uint8Array): Uint8Array {
  if (rdata.length <= 0xffff) return rdata;
  throw new RdataError(`the data has ${rdata.length} bytes, more than 65535`);
}

/**
 * A row whose data is `fields`. `check` sees data that is right field by field, and throws
 * RdataError for what is wrong in their combination.
 */
export function row(
  mnemonic: string,
  rfc: number | string,
  fields: readonly Field[],
  check: (rdata: Uint8Array) => void = () => {},
): Row {
  const code = typeCode(mnemonic);
  if (code === undefined) throw new RangeError(`${mnemonic} has no code`);
  const hasNames = fields.some(({ isName, names }) => isName !== undefined || names !== undefined);
  const format = (rdata: Uint8Array) => {
    const text = formatFields(fields, rdata, mnemonic);
    check(rdata);
    return text;
  };
  return {
    code,
    mnemonic,
    rfc: typeof rfc === 'number' ? `RFC ${rfc}` : rfc,
    fields,
    parse(tokens, origin) {
      const generic = parseGeneric(tokens, origin);
      if (generic !== undefined) {
        format(generic);
        return generic;
      }
      const words = new Words(tokens, origin);
      const rdata = sized(join(fields.map((field) => field.parse(words))));
      words.end();
      check(rdata);
      return rdata;
    },
    format,
    names: (rdata) => (hasNames ? namesOf(fields, rdata, mnemonic) : NO_NAMES),
  };
}

const NO_NAMES: readonly (readonly [number, boolean])[] = [];

/** The end of a field; throws when the data ends before. */
function endOf(field: Field, rdata: Uint8Array, at: number, mnemonic: string): number {
  const length = field.isName === undefined ? field.length(rdata, at) : nameLength(rdata, at);
  if (length < 0) throw new RdataError(`the data of ${mnemonic} has a name that is none`);
  if (at + length > rdata.length) throw new RdataError(`the data of ${mnemonic} is cut off`);
  return at + length;
}

function formatFields(fields: readonly Field[], rdata: Uint8Array, mnemonic: string): string {
  const texts: string[] = [];
  let at = 0;
  for (const field of fields) {
    const end = endOf(field, rdata, at, mnemonic);
    const text = field.format(rdata.subarray(at, end));
    if (text !== '') texts.push(text);
    at = end;
  }
  if (at === rdata.length) return texts.join(' ');
  throw new RdataError(`the data of ${mnemonic} has ${rdata.length - at} bytes too many`);
}

function namesOf(
  fields: readonly Field[],
  rdata: Uint8Array,
  mnemonic: string,
): (readonly [number, boolean])[] {
  const names: (readonly [number, boolean])[] = [];
  let at = 0;
  for (const field of fields) {
    const end = endOf(field, rdata, at, mnemonic);
    if (field.isName !== undefined) names.push([at, field.isName === 'compressible']);
    for (const offset of field.names?.(rdata.subarray(at, end)) ?? []) {
      names.push([at + offset, false]);
    }
    at = end;
  }
  return names;
}
