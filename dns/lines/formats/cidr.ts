// Lists of prefixes, one a line: `192.0.2.0/24`, an address alone, with a line's name after it or
// without; what follows `#` or `;` is a comment. Pure.
import { type ReadPrefix, readPrefix } from './address-text.ts';
import type { ListSink } from './sink.ts';
import { eachLine } from './text-lines.ts';

const ENTRY = /^\s*([^\s#;]+)(?:\s+([^\s#;]+))?(?:\s+([^\s#;]+))?/;

export function readCidr(text: string, sink: ListSink): void {
  const words = new Uint32Array(4);
  const prefix: ReadPrefix = { family: 4, bits: 0 };
  const own = sink.ownLine;
  eachLine(text, (source, row) => {
    const [, written, name, more] = ENTRY.exec(source) ?? [];
    if (written === undefined) return true;
    const bad = (part: string, message: string, remedy?: string) =>
      sink.problem(row, source.indexOf(part) + 1, message, remedy, source);
    if (!readPrefix(written, words, prefix)) {
      bad(written, `"${written}" is no prefix`, 'write one such as 192.0.2.0/24 or 2001:db8::/32');
    } else if (more !== undefined) {
      bad(more, `"${more}" is too much`, 'write the prefix, a line, and # before a comment');
    } else if (name === undefined && own === undefined) {
      bad(written, 'is of no line', 'set `line` for the file, or write the line after the prefix');
    } else {
      const line = name === undefined ? own : sink.lineNamed(name);
      if (line === undefined) bad(name ?? '', `"${name}" is no name of a line`);
      else if (own !== undefined && line !== own)
        bad(name ?? '', `"${name}" is not the file's line`, 'remove it, or `line` in the settings');
      else sink.add(prefix.family, words, prefix.bits, line, row);
    }
    return !sink.isFull;
  });
}
