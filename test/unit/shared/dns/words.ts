// One line of record data as words (RFC 1035 §5.1), as a zone file's scanner would have them.
import type { Token } from '../../../../shared/dns/types.ts';

/** A quotation mark within a word only joins: `alpn="h2,h3"` is the word `alpn=h2,h3`. */
const WORD = /\s*(?:"((?:[^"\\]|\\.)*)"|((?:[^\s"\\]|\\.|"(?:[^"\\]|\\.)*")+))/sy;

/** Undefined: a quotation mark or an escape without its end. */
export function wordsOf(text: string): Token[] | undefined {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    WORD.lastIndex = at;
    const match = WORD.exec(text);
    if (match === null) return text.slice(at).trim() === '' ? tokens : undefined;
    const [whole, quoted, plain = ''] = match;
    tokens.push({ text: quoted ?? withoutMarks(plain), quoted: quoted !== undefined });
    at += whole.length;
  }
}

function withoutMarks(text: string): string {
  return text.replace(/\\.|"/gs, (part) => (part === '"' ? '' : part));
}
