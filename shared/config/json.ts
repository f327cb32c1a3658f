// JSON text, which is YAML too, by JSON.parse: a hundred times as fast. Places are looked up in the
// text only when an error asks for one. RFC 8259.
import type { Path, Place, Quick } from './yaml.ts';

/** Undefined: not JSON, or with a key twice in an object, which the YAML parser tells better. */
export function readJson(text: string): Quick | undefined {
  if (!/^\s*[{[]/.test(text)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // the YAML parser says what is wrong, or takes what is only YAML
  }
  if (keysWritten(text) !== keysHeld(value)) return undefined;
  const places = new JsonPlaces(text);
  return { value, find: (path) => places.find(path) };
}

/** Strings that a colon follows; in valid JSON every quote begins or ends a string. */
function keysWritten(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at)) {
    at = skipSpace(text, stringEnd(text, at));
    if (text[at] === ':') count++;
  }
  return count;
}

function keysHeld(value: unknown): number {
  let count = 0;
  const waiting: unknown[] = [value]; // not by recursion: it may be nested deeply
  while (waiting.length > 0) {
    const one = waiting.pop();
    if (typeof one !== 'object' || one === null) continue;
    const inner = Object.values(one);
    if (!Array.isArray(one)) count += inner.length;
    for (const each of inner) if (typeof each === 'object') waiting.push(each);
  }
  return count;
}

/** Just after the string that begins at `at`. */
function stringEnd(text: string, at: number): number {
  for (let end = at + 1; ; end++) {
    const code = text.charCodeAt(end);
    if (code === BACKSLASH) end++;
    else if (code === QUOTE) return end + 1;
  }
}

const BACKSLASH = 0x5c;
const QUOTE = 0x22;

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) <= 0x20) at++;
  return at;
}

/** Walks the text of valid JSON; what it has seen of an object or array it keeps. */
class JsonPlaces {
  readonly #text: string;
  readonly #elements = new Map<number, number[]>();
  readonly #entries = new Map<number, Map<string, Place>>();

  constructor(text: string) {
    this.#text = text;
  }

  find(path: Path): Place | undefined {
    let found: Place | undefined = { value: skipSpace(this.#text, 0) };
    for (const step of path) {
      found = this.#child(found.value, step);
      if (found === undefined) return undefined;
    }
    return found;
  }

  #child(at: number, step: string | number): Place | undefined {
    if (this.#text[at] === '{') return this.#entriesOf(at).get(String(step));
    if (this.#text[at] !== '[') return undefined;
    const value = this.#elementsOf(at)[Number(step)];
    return value === undefined ? undefined : { value };
  }

  #elementsOf(start: number): number[] {
    const known = this.#elements.get(start);
    if (known !== undefined) return known;
    const found: number[] = [];
    let at = skipSpace(this.#text, start + 1);
    while (this.#text[at] !== ']') {
      found.push(at);
      at = this.#next(this.#valueEnd(at));
    }
    this.#elements.set(start, found);
    return found;
  }

  #entriesOf(start: number): Map<string, Place> {
    const known = this.#entries.get(start);
    if (known !== undefined) return known;
    const found = new Map<string, Place>();
    let key = skipSpace(this.#text, start + 1);
    while (this.#text[key] !== '}') {
      const end = stringEnd(this.#text, key);
      const value = skipSpace(this.#text, skipSpace(this.#text, end) + 1);
      found.set(String(JSON.parse(this.#text.slice(key, end))), { key, value });
      key = this.#next(this.#valueEnd(value));
    }
    this.#entries.set(start, found);
    return found;
  }

  /** What comes after a value: behind its comma, or at the end of what it is in. */
  #next(from: number): number {
    const at = skipSpace(this.#text, from);
    return this.#text[at] === ',' ? skipSpace(this.#text, at + 1) : at;
  }

  #valueEnd(from: number): number {
    let depth = 0;
    for (let at = from; ; ) {
      const char = this.#text[at] ?? '';
      if (char === '"') at = stringEnd(this.#text, at);
      else if (depth === 0 && /[\s,\]}]/.test(char)) return at;
      else if (char === '') return at;
      else {
        if (char === '{' || char === '[') depth++;
        if (char === '}' || char === ']') depth--;
        at++;
      }
      if (depth === 0 && /["\]}]/.test(char)) return at;
    }
  }
}
