// The words of one record's data where it stands by itself: in a site object, in a $GENERATE. By
// the scanner of zone files, so that all of them are read alike (RFC 1035 §5.1). Pure.
import { RdataError } from '../fields.ts';
import type { Token } from '../types.ts';
import { BROKEN, END, LINE_END, QUOTED, Scanner } from './scan.ts';

/**
 * Escapes stay as they are. `strays`: what to do with what is no word, comments and parentheses.
 * Throws RdataError: a stray that is refused, a line's end, or what the scanner finds broken.
 */
export function dataWords(text: string, strays: 'refuse' | 'skip'): Token[] {
  const scanner = new Scanner(text.trimStart()); // a blank at its start would be an owner left out
  const tokens: Token[] = [];
  for (let before = 0; ; before = scanner.end) {
    const kind = scanner.next();
    if (kind === BROKEN) throw new RdataError(scanner.broken);
    if (strays === 'refuse') refuseStray(scanner.text.slice(before, scanner.start));
    if (kind === LINE_END) refuseStray('\n');
    if (kind === END) return tokens;
    tokens.push({ text: scanner.word(), quoted: kind === QUOTED });
  }
}

function refuseStray(between: string): void {
  const [stray] = /[^ \t"]/.exec(between) ?? [];
  if (stray === undefined) return;
  const shown = JSON.stringify(stray);
  throw new RdataError(
    `${shown} has a meaning in zone files: put a backslash before it, or quote the text`,
  );
}
