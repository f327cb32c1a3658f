// The YAML that `edgectl get -o yaml` writes and large site files consist of: sections of one-line
// entries, `  - { address: 198.51.100.7, limit: { in: 100mbit }, dns: [10.0.0.53] }`. Read line by
// line, about thirty times as fast as by the YAML parser, which gets whatever is not exactly so.
import type { Path, Place, Quick } from './yaml.ts';

type Value = string | number | boolean | Value[] | Entry;
type Entry = { [key: string]: Value };
type Section = { key: number; indent: string; offsets: number[]; entries: Entry[]; empty: boolean };

const HEADER = /^([a-z][a-z0-9-]*):( \[\])?$/;
const ENTRY = /^((?: {2})*- )\{ /;
const KEY = /(?:([a-z][a-zA-Z0-9-]*)|"(\d{1,3})"): /y;
const QUOTED = /"[ !#-[\]-~]*"/y; // printable ASCII, and nothing escaped
const BARE = /[a-zA-Z0-9][a-zA-Z0-9._-]*/y;
const NEXT = /, | \}/y;
const NEXT_ITEM = /, |\]/y;
const WHOLE = /^(0|[1-9]\d{0,14})$/;
/** What is text to YAML, and no number: addresses, rates, sizes, words. */
const TEXT = /^(\d+\.\d+\.\d+\.\d+|\d+(\.\d+)?[kmgt]?(bit|b)|[a-zA-Z][a-zA-Z0-9._-]*)$/;
const OTHER_WORD = /^(null|true|false|yes|no|on|off|y|n)$/i;

/** Undefined: not of this form. */
export function readFlowLines(text: string): Quick | undefined {
  const sections = new Map<string, Section>();
  let section: Section | undefined;
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at);
    const line = text.slice(at, end < 0 ? text.length : end);
    const [, name, empty] = HEADER.exec(line) ?? [];
    if (name !== undefined) {
      if (sections.has(name)) return undefined;
      section = { key: at, indent: '', offsets: [], entries: [], empty: empty !== undefined };
      sections.set(name, section);
    } else if (!/^ *(#[\x20-\x7e]*)?$/.test(line)) {
      if (section === undefined || !take(section, line, at)) return undefined;
    }
    at += line.length + 1;
  }
  return sections.size === 0 ? undefined : quickOf(sections, text);
}

function take(section: Section, line: string, offset: number): boolean {
  const indent = ENTRY.exec(line)?.[1];
  if (indent === undefined || section.empty) return false;
  if (section.entries.length === 0) section.indent = indent;
  if (section.indent !== indent) return false;
  const read = readEntry(line, indent.length);
  if (read === undefined || read.end !== line.length) return false;
  section.entries.push(read.entry);
  section.offsets.push(offset);
  return true;
}

/** From its opening brace; `end` is behind its closing one. */
function readEntry(line: string, start: number): { entry: Entry; end: number } | undefined {
  const entry: Entry = {};
  for (let at = start + 2; ; ) {
    const [whole = '', word, digits = ''] = sticky(KEY, line, at) ?? [];
    const key = word ?? digits;
    if (whole === '' || Object.hasOwn(entry, key)) return undefined;
    const read = readValue(line, at + whole.length);
    const [next] = read === undefined ? [] : (sticky(NEXT, line, read.end) ?? []);
    if (read === undefined || next === undefined) return undefined;
    entry[key] = read.value;
    at = read.end + 2;
    if (next === ' }') return { entry, end: at };
  }
}

type Read = { value: Value; end: number };

function readValue(line: string, at: number): Read | undefined {
  if (line[at] === '{') {
    const inner = line[at + 1] === ' ' ? readEntry(line, at) : undefined;
    return inner && { value: inner.entry, end: inner.end };
  }
  if (line[at] === '[') return readList(line, at);
  const [quoted] = sticky(QUOTED, line, at) ?? [];
  if (quoted !== undefined) return { value: quoted.slice(1, -1), end: at + quoted.length };
  const [bare] = sticky(BARE, line, at) ?? [];
  if (bare === undefined) return undefined;
  const end = at + bare.length;
  if (WHOLE.test(bare)) return { value: Number(bare), end };
  if (!TEXT.test(bare)) return undefined;
  if (bare === 'true' || bare === 'false') return { value: bare === 'true', end };
  return OTHER_WORD.test(bare) ? undefined : { value: bare, end };
}

/** From its opening bracket. */
function readList(line: string, start: number): Read | undefined {
  const value: Value[] = [];
  if (line[start + 1] === ']') return { value, end: start + 2 };
  for (let at = start + 1; ; ) {
    const read = readValue(line, at);
    const [next] = read === undefined ? [] : (sticky(NEXT_ITEM, line, read.end) ?? []);
    if (read === undefined || next === undefined) return undefined;
    value.push(read.value);
    at = read.end + next.length;
    if (next === ']') return { value, end: at };
  }
}

function sticky(pattern: RegExp, line: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(line);
}

function quickOf(sections: ReadonlyMap<string, Section>, text: string): Quick {
  const value: Record<string, Entry[] | null> = {};
  for (const [name, { entries, empty }] of sections) {
    value[name] = entries.length > 0 || empty ? entries : null;
  }
  return { value, find: (path) => find(sections, text, path) };
}

function find(
  sections: ReadonlyMap<string, Section>,
  text: string,
  [name, index, ...inner]: Path,
): Place | undefined {
  if (name === undefined) return { value: sections.values().next().value?.key ?? 0 };
  const section = sections.get(String(name));
  if (section === undefined) return undefined;
  const { key, indent, offsets } = section;
  const first = offsets[0] === undefined ? key : offsets[0] + indent.length - 2;
  const value = section.empty ? text.indexOf('[', key) : first;
  if (index === undefined) return { key, value };
  const offset = offsets[Number(index)];
  if (offset === undefined) return undefined;
  return findInner(text, offset + indent.length, inner);
}

/** In the entry whose brace is at `start`. */
function findInner(text: string, start: number, path: Path): Place | undefined {
  let found: Place = { value: start };
  for (const step of path) {
    const next = placesOf(text, found.value).get(String(step));
    if (next === undefined) return undefined;
    found = next;
  }
  return found;
}

function placesOf(text: string, start: number): Map<string, Place> {
  if (text[start] === '{') return placesInEntry(text, start);
  return text[start] === '[' ? placesInList(text, start) : new Map();
}

function placesInEntry(text: string, start: number): Map<string, Place> {
  const places = new Map<string, Place>();
  for (let at = start + 2; ; ) {
    const [whole = '', word, digits = ''] = sticky(KEY, text, at) ?? [];
    const value = at + whole.length;
    const end = readValue(text, value)?.end;
    if (whole === '' || end === undefined) return places;
    places.set(word ?? digits, { key: at, value });
    if (text.startsWith(' }', end)) return places;
    at = end + 2;
  }
}

function placesInList(text: string, start: number): Map<string, Place> {
  const places = new Map<string, Place>();
  for (let at = start + 1; text[at] !== ']'; ) {
    const end = readValue(text, at)?.end;
    if (end === undefined) return places;
    places.set(String(places.size), { value: at });
    at = text[end] === ']' ? end : end + 2;
  }
  return places;
}
