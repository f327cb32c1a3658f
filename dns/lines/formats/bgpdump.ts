// Routing tables as `bgpdump -m` prints them: TABLE_DUMP2|time|B|peer|peer's AS|prefix|AS path|…,
// one line for each path. The line of a prefix is that of its origin: the last AS of the first path
// that ends with one, as a set at the end names nobody. Pure.
import { type ReadPrefix, readPrefix } from './address-text.ts';
import type { ListSink } from './sink.ts';
import { columnOf, eachLine, readAsn } from './text-lines.ts';

const COLUMNS = { type: 2, prefix: 5, path: 6 } as const;

export function readBgpdump(text: string, sink: ListSink): void {
  const words = new Uint32Array(4);
  const prefix: ReadPrefix = { family: 4, bits: 0 };
  let done = '';
  let waiting = '';
  const skipWaiting = () => {
    if (waiting !== '') sink.skip();
    waiting = '';
  };
  eachLine(text, (source, row) => {
    if (source === '') return true;
    const fields = source.split('|', COLUMNS.path + 1);
    const written = fields[COLUMNS.prefix] ?? '';
    const path = fields[COLUMNS.path];
    const bad = (field: number, message: string) =>
      sink.problem(row, columnOf(source, '|', field), message, undefined, source);
    if (!/^TABLE_DUMP2?$/.test(fields[0] ?? '') || path === undefined) {
      bad(0, 'is no TABLE_DUMP2|time|B|peer|AS|prefix|AS path: write it by `bgpdump -m`');
      return !sink.isFull;
    }
    if (fields[COLUMNS.type] !== 'B' || written === done) return true;
    if (written !== waiting) skipWaiting();
    if (!readPrefix(written, words, prefix)) {
      bad(COLUMNS.prefix, `"${written}" is no prefix`);
      return !sink.isFull;
    }
    waiting = written;
    const origin = prefix.bits === 0 ? undefined : originOf(path);
    if (origin === undefined) return true; // another path may have one
    sink.add(prefix.family, words, prefix.bits, sink.lineOfAsn(origin), row);
    done = written;
    waiting = '';
    return !sink.isFull;
  });
  skipWaiting();
}

/** Undefined: no path, a set (`{1,2}`) at its end, or a confederation's own part (`(1 2)`). */
function originOf(path: string): number | undefined {
  return readAsn(path.slice(path.lastIndexOf(' ') + 1));
}
