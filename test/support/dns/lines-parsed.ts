// What a reader of list files found, as text: one way to write what tests expect.
import { formatWords } from '../../../dns/lines/columns.ts';
import { parseList } from '../../../dns/lines/formats/parse.ts';
import type { LineFileSettings } from '../../../dns/lines/formats/types.ts';
import type { LineList } from '../../../dns/lines/types.ts';
import { formatProblem } from '../../../shared/errors.ts';

/** `192.0.2.0/24 telecom 1`: prefix, line, row; IPv4 first. */
export function entriesOf({ v4, v6, lines }: LineList): string[] {
  const write = (family: 4 | 6) => {
    const { count, words, bits, line, row } = family === 4 ? v4 : v6;
    return Array.from({ length: count }, (_, at) => {
      const prefix = formatWords(family, words, bits[at] ?? 0, at * (family === 4 ? 1 : 4));
      return `${prefix} ${lines[line[at] ?? 0]} ${row[at]}`;
    });
  };
  return [...write(4), ...write(6)];
}

/** Entries, or problems as an operator sees them, without excerpts. */
export function parsed(
  content: string | Uint8Array,
  settings: Partial<LineFileSettings> = {},
): string[] {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const result = parseList(bytes, { file: 'list', format: 'auto', ...settings });
  if ('list' in result) return entriesOf(result.list);
  return result.problems.map(({ sourceLine: _, ...problem }) => formatProblem(problem));
}
