// The field lines of a head (RFC 9112, 5): one pass over the bytes into offsets and name numbers.
// Pure.
import { BAD } from './bad.ts';
import { COLON, CR, LF, SPACE, TAB, TEXT, TOKEN } from './octets.ts';
import { type Bad, FIELD, type FieldName, type Head, MAX_FIELDS } from './types.ts';

/** `more`: what is there is right so far. */
export type Unfinished = 'more' | Bad;

/** Lower-case name of each known FIELD; '' for those that stand for many. */
export const NAME_OF: readonly string[] = Object.entries(FIELD).map(([key, field]) =>
  field === FIELD.OTHER || field === FIELD.UNDERSCORE ? '' : key.toLowerCase().replaceAll('_', '-'),
);

const FIELD_OF = new Map(
  NAME_OF.map((name, field) => [name, field as FieldName] as const).filter(([name]) => name !== ''),
);

/** FIELD of a lower-case name. */
export function fieldNamed(name: string): FieldName {
  if (name.includes('_')) return FIELD.UNDERSCORE;
  return FIELD_OF.get(name) ?? FIELD.OTHER;
}

const LONGEST_NAME = Math.max(...NAME_OF.map((name) => name.length));

/** Known names' bytes, 32 places a FIELD. */
const NAME_BYTES = new Uint8Array(NAME_OF.length << 5);
for (const [field, name] of NAME_OF.entries()) {
  NAME_BYTES.set(Buffer.from(name, 'latin1'), field << 5);
}

/** Of known names by length and two of their letters; a factor was searched that none share. */
const [SLOTS, FACTOR] = perfectSlots();

function slotOf(length: number, first: number, last: number, factor: number): number {
  return (length << 5) | ((first * factor + last) & 31);
}

function perfectSlots(): [Uint8Array, number] {
  search: for (let factor = 1; factor < 1024; factor++) {
    const slots = new Uint8Array((LONGEST_NAME + 1) << 5);
    for (const [name, field] of FIELD_OF) {
      const [first, last] = [name.charCodeAt(0), name.charCodeAt(name.length - 2)];
      const slot = slotOf(name.length, first, last, factor);
      if (slots[slot] !== 0) continue search;
      slots[slot] = field;
    }
    return [slots, factor];
  }
  throw new Error('no factor keeps the known field names apart');
}

/** FIELD of the name (a token without underscore) at `start`. */
function classify(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length < 2 || length > LONGEST_NAME) return FIELD.OTHER;
  const first = (bytes[start] as number) | 0x20;
  const last = (bytes[end - 2] as number) | 0x20;
  const field = SLOTS[slotOf(length, first, last, FACTOR)] as number;
  if (field === FIELD.OTHER) return field;
  const name = field << 5;
  for (let i = 0; i < length; i++) {
    if (((bytes[start + i] as number) | 0x20) !== NAME_BYTES[name + i]) return FIELD.OTHER;
  }
  return field;
}

export function createHead(): Head {
  return {
    bytes: Buffer.alloc(0),
    start: 0,
    end: 0,
    minor: 1,
    count: 0,
    names: new Uint8Array(MAX_FIELDS),
    offsets: new Int32Array(4 * MAX_FIELDS),
    present: 0,
    framing: 'none',
    contentLength: -1,
    keepAlive: true,
    connectionOptions: [],
    upgrade: false,
  };
}

/**
 * Fills `count`, `names`, `offsets` and `present` with the fields from `from` on. The result is the
 * offset behind the empty line. What is wrong first decides, so that more bytes change no verdict.
 */
export function parseFields(
  bytes: Uint8Array,
  from: number,
  stop: number,
  head: Head,
): number | Unfinished {
  const { names, offsets } = head;
  let count = 0;
  let present = 0;
  let p = from;
  for (; p < stop; p += 2) {
    const nameStart = p;
    let marks = 0;
    let kind = TOKEN[bytes[p] as number] as number;
    while (kind !== 0) {
      marks |= kind;
      if (++p === stop) return 'more';
      kind = TOKEN[bytes[p] as number] as number;
    }
    if (bytes[p] !== COLON || p === nameStart) {
      if (bytes[p] !== CR || p !== nameStart) return badName(bytes, nameStart, p);
      if (p + 1 === stop) return 'more';
      if (bytes[p + 1] !== LF) return BAD.bareCarriageReturn;
      head.count = count;
      head.present = present;
      return p + 2;
    }
    if (count === MAX_FIELDS) return BAD.tooManyFields;
    const nameEnd = p++;
    while (p < stop && isBlank(bytes[p] as number)) p++;
    const valueStart = p;
    while (p < stop && TEXT[bytes[p] as number] === 1) p++;
    if (p === stop) return 'more';
    if (bytes[p] !== CR) return badValue(bytes[p] as number);
    if (p + 1 === stop) return 'more';
    if (bytes[p + 1] !== LF) return BAD.bareCarriageReturn;
    let valueEnd = p;
    while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1] as number)) valueEnd--;
    const field = (marks & 2) === 0 ? classify(bytes, nameStart, nameEnd) : FIELD.UNDERSCORE;
    present |= 1 << field;
    names[count] = field;
    const at = count++ << 2;
    offsets[at] = nameStart;
    offsets[at + 1] = nameEnd;
    offsets[at + 2] = valueStart;
    offsets[at + 3] = valueEnd;
  }
  return 'more';
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

/** Of a line that is no field because of its byte at `at`. */
function badName(bytes: Uint8Array, start: number, at: number): Bad {
  const code = bytes[at] as number;
  if (code === LF) return BAD.bareLineFeed;
  if (!isBlank(code)) return BAD.fieldName;
  return at === start ? BAD.foldedLine : BAD.spaceBeforeColon;
}

function badValue(code: number): Bad {
  return code === LF ? BAD.bareLineFeed : BAD.fieldValue;
}

/** The first field of that name; -1 without. */
export function indexOfField(head: Head, field: FieldName): number {
  if ((head.present & (1 << field)) === 0) return -1;
  let index = 0;
  while (head.names[index] !== field) index++;
  return index;
}
