// What the bytes of an option are compared with: all of them, or with a `*` at the end how they
// begin. Stored as hex: `505845436c69656e74*`.
import { type Hex, hexOfText, textOf } from './bytes.ts';

/** `isPrefix`: what follows does not matter. */
export type Pattern = { hex: Hex; isPrefix: boolean };

const STORED = /^((?:[0-9a-f]{2})*)(\*?)$/;

export function parsePattern(stored: string): Pattern | undefined {
  const [, hex = '', star = ''] = STORED.exec(stored) ?? [];
  return hex === '' && star === '' ? undefined : { hex, isPrefix: star === '*' };
}

export function formatPattern({ hex, isPrefix }: Pattern): string {
  return isPrefix ? `${hex}*` : hex;
}

/** As an operator writes it: a `*` that is not at the end would look as if it meant something. */
export function parseWrittenPattern(text: string): Pattern | undefined {
  const isPrefix = text.endsWith('*');
  const rest = isPrefix ? text.slice(0, -1) : text;
  if (text === '' || rest.includes('*')) return undefined;
  return { hex: hexOfText(rest), isPrefix };
}

export function writtenPattern(pattern: Pattern): string | { hex: string } {
  const text = pattern.hex === '' ? '' : textOf(pattern.hex);
  if (text === undefined || text.includes('*')) return { hex: formatPattern(pattern) };
  return pattern.isPrefix ? `${text}*` : text;
}
