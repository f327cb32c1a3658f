// The Markdown that our pages use, as blocks: headings, paragraphs, lists, tables, code. Pure.

export type Block =
  | { kind: 'heading'; level: number; text: string }
  | { kind: 'paragraph'; text: string }
  | { kind: 'code'; lines: string[] }
  | { kind: 'list'; ordered: boolean; items: Block[][] }
  | { kind: 'table'; head: string[]; rows: string[][] };

const FENCE = /^```/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const ITEM = /^( {0,3})([-*]|\d+\.)( +)(.*)$/;
const INDENTED = /^ {4}/;
const TABLE_ROW = /^\|.*\|\s*$/;
const TABLE_RULE = /^\|[\s:|-]+\|\s*$/;

const isBlank = (line: string | undefined): boolean => line === undefined || line.trim() === '';

/** The blocks of a page, in order; inline marks stay in the texts. */
export function parseMarkdown(text: string): Block[] {
  return blocksOf(text.replaceAll('\t', '    ').split('\n'));
}

function blocksOf(lines: readonly string[]): Block[] {
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    if (isBlank(lines[at])) {
      at += 1;
      continue;
    }
    const [block, next] = blockAt(lines, at);
    blocks.push(block);
    at = next;
  }
  return blocks;
}

/** The block that starts at the line, and the line after it. */
function blockAt(lines: readonly string[], at: number): [Block, number] {
  const line = lines[at] ?? '';
  const heading = HEADING.exec(line);
  if (heading !== null) {
    const [, marks = '', text = ''] = heading;
    return [{ kind: 'heading', level: marks.length, text }, at + 1];
  }
  if (FENCE.test(line)) return fencedAt(lines, at + 1);
  if (INDENTED.test(line)) return indentedAt(lines, at);
  if (TABLE_ROW.test(line) && TABLE_RULE.test(lines[at + 1] ?? '')) return tableAt(lines, at);
  if (ITEM.test(line)) return listAt(lines, at);
  return paragraphAt(lines, at);
}

function fencedAt(lines: readonly string[], from: number): [Block, number] {
  const end = lines.findIndex((line, index) => index >= from && FENCE.test(line));
  const to = end < 0 ? lines.length : end;
  return [{ kind: 'code', lines: lines.slice(from, to) }, to + 1];
}

function indentedAt(lines: readonly string[], from: number): [Block, number] {
  let to = from;
  for (let at = from; at < lines.length && (isBlank(lines[at]) || INDENTED.test(lines[at] ?? '')); )
    if (!isBlank(lines[at++])) to = at;
  return [{ kind: 'code', lines: lines.slice(from, to).map((line) => line.slice(4)) }, to];
}

function tableAt(lines: readonly string[], from: number): [Block, number] {
  let to = from + 2;
  while (TABLE_ROW.test(lines[to] ?? '')) to += 1;
  const head = cellsOf(lines[from] ?? '');
  return [{ kind: 'table', head, rows: lines.slice(from + 2, to).map(cellsOf) }, to];
}

/** A bar in a cell is written `\|`. */
function cellsOf(row: string): string[] {
  const inner = row.trim().slice(1, -1);
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function listAt(lines: readonly string[], from: number): [Block, number] {
  const ordered = /\d/.test(ITEM.exec(lines[from] ?? '')?.[2] ?? '');
  const items: Block[][] = [];
  let at = from;
  for (;;) {
    const [, space = '', mark = '', gap = '', text = ''] = ITEM.exec(lines[at] ?? '') ?? [];
    if (mark === '' || /\d/.test(mark) !== ordered) break;
    const indent = space.length + mark.length + gap.length;
    const end = itemEnd(lines, at + 1, indent);
    const more = lines.slice(at + 1, end).map((line) => withoutIndent(line, indent));
    items.push(blocksOf([text, ...more]));
    at = end;
  }
  return [{ kind: 'list', ordered, items }, at];
}

/** An item goes on over lines that are indented, or that follow without a blank one. */
function itemEnd(lines: readonly string[], from: number, indent: number): number {
  let end = from;
  for (let at = from; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    if (isBlank(line)) continue;
    const isIndented = line.startsWith(' '.repeat(indent));
    const isLazy = end === at && !ITEM.test(line) && !HEADING.test(line) && !FENCE.test(line);
    if (!isIndented && !isLazy) break;
    end = at + 1;
  }
  // The blank lines before the next item are the list's.
  const next = lines.findIndex((line, index) => index >= end && !isBlank(line));
  return next > end && ITEM.test(lines[next] ?? '') ? next : end;
}

function withoutIndent(line: string, indent: number): string {
  return line.startsWith(' '.repeat(indent)) ? line.slice(indent) : line.trimStart();
}

function paragraphAt(lines: readonly string[], from: number): [Block, number] {
  let to = from + 1;
  const ends = (line: string): boolean =>
    isBlank(line) || [HEADING, FENCE, ITEM, TABLE_ROW].some((other) => other.test(line));
  while (to < lines.length && !ends(lines[to] ?? '')) to += 1;
  const text = lines.slice(from, to).map((line) => line.trim());
  return [{ kind: 'paragraph', text: text.join(' ') }, to];
}
