// What CH TXT answers (H4, RFC 4892): who this is, and what the settings name. Pure.
import { CLASSES, TYPES } from '../../shared/dns/constants.ts';
import { lowerName, parseName } from '../../shared/dns/names.ts';
import type { Incoming } from './query.ts';

const MAX_STRING_BYTES = 255;
const TO_QNAME = [0xc0, 0x0c];

/** The answer section for each name: owner, type, class, TTL 0 and one or more strings. */
export class Chaos {
  readonly #names: readonly { name: Uint8Array; section: Uint8Array }[];

  /** Of texts by name; a name that is none is a programmer's error, as settings are checked. */
  constructor(texts: Readonly<Record<string, string>>) {
    this.#names = Object.entries(texts).map(([text, value]) => {
      const name = parseName(text);
      if (name === undefined) throw new RangeError(`"${text}" is no domain name`);
      return { name: lowerName(name), section: sectionOf(value) };
    });
  }

  /** Writes the answer at `at`; returns its end, or −1 for what is not served or does not fit. */
  write(query: Incoming, out: Uint8Array, at: number, limit: number): number {
    if (query.class !== CLASSES.CH || query.type !== TYPES.TXT) return -1;
    for (const { name, section } of this.#names) {
      if (!isName(name, query)) continue;
      if (at + section.length > limit) return -1;
      out.set(section, at);
      return at + section.length;
    }
    return -1;
  }
}

function isName(name: Uint8Array, query: Incoming): boolean {
  if (name.length !== query.nameLength) return false;
  for (let at = 0; at < name.length; at++) if (name[at] !== query.lower[at]) return false;
  return true;
}

function sectionOf(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  const strings: number[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += MAX_STRING_BYTES) {
    const part = bytes.subarray(at, at + MAX_STRING_BYTES);
    strings.push(part.length, ...part);
  }
  const fixed = [...TO_QNAME, 0, TYPES.TXT, 0, CLASSES.CH, 0, 0, 0, 0];
  return Uint8Array.of(...fixed, strings.length >>> 8, strings.length & 255, ...strings);
}
