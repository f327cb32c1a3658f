// Manual pages: Markdown as roff for groff's man macros, tables by tbl (man(7), groff_man_style(7),
// tbl(1)). Pure.
import { type Block, parseMarkdown } from './markdown.ts';

/** Of a page of 80 columns, beside the indentation. */
const TABLE_COLUMNS = 68;
const COLUMN_GAP = 3;
/** A last column of a table that gets less than this is no column of text. */
const NARROWEST_TEXT = 28;

/** Names stay in one piece. Before .TH, which reads it. */
const NO_HYPHENS = '.nr HY 0\n';

/** What a page is, for `.TH`; the date as YYYY-MM-DD. */
export type PageTitle = { name: string; section: number; date: string; source: string };

export function manPage(title: PageTitle, body: string): string {
  const { name, section, date, source } = title;
  const needsTbl = body.includes('\n.TS\n');
  const head = `.TH ${name.toUpperCase()} ${section} "${date}" "${source}" "Edgeplane"`;
  return `${needsTbl ? '\'\\" t\n' : ''}${NO_HYPHENS}${head}\n.ad l\n${body}`;
}

/** A page's text, its headings of level 2 as sections. */
export function roffOf(markdown: string): string {
  return parseMarkdown(markdown).map(blockRoff).join('');
}

export function section(name: string): string {
  return `.SH ${literal(name.toUpperCase())}\n`;
}

/** Terms and what they mean: options, files. All is plain text. */
export function terms(rows: readonly (readonly [term: string, text: string])[]): string {
  return rows
    .map(([term, text]) => `.TP\n\\fB${literal(term)}\\fR\n${guarded(literal(text))}\n`)
    .join('');
}

function blockRoff(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return block.level <= 2
        ? `.SH ${literal(plain(block.text).toUpperCase())}\n`
        : `.SS ${inline(block.text)}\n`;
    case 'paragraph':
      return `.PP\n${inline(block.text)}\n`;
    case 'code':
      return verbatim(block.lines);
    case 'list':
      return listRoff(block);
    case 'table':
      return tableRoff(block);
  }
}

export function verbatim(lines: readonly string[]): string {
  const text = lines.map((line) => (line === '' ? '' : guarded(literal(line)))).join('\n');
  return `.PP\n.in +4n\n.EX\n${text}\n.EE\n.in\n`;
}

function listRoff({ ordered, items }: Extract<Block, { kind: 'list' }>): string {
  const text = items.map((blocks, index) => {
    const [first, ...rest] = blocks;
    const mark = ordered ? `.IP ${index + 1}. 4` : '.IP \\(bu 2';
    const opening = first?.kind === 'paragraph' ? `${inline(first.text)}\n` : '';
    const inside = (opening === '' ? blocks : rest).map(blockRoff).join('');
    return `${mark}\n${opening}${inside === '' ? '' : `.RS ${ordered ? 4 : 2}\n${inside}.RE\n`}`;
  });
  return text.join('');
}

/** A table whose texts have room, by tbl; another one as terms, each with what stands beside it. */
function tableRoff({ head, rows }: Extract<Block, { kind: 'table' }>): string {
  const hasHead = head.some((cell) => cell !== '');
  const all = hasHead ? [head, ...rows] : rows;
  const widths = head.map((_, column) =>
    Math.max(...all.map((row) => plain(row[column] ?? '').length)),
  );
  const taken = widths.slice(0, -1).reduce((sum, width) => sum + width + COLUMN_GAP, 0);
  const last = TABLE_COLUMNS - taken;
  const natural = widths.at(-1) ?? 0;
  if (natural > last && last < NARROWEST_TEXT) return termsOfTable(rows);
  const form = widths.map((width, column) =>
    column < widths.length - 1 || natural <= last ? `lw(${Math.max(width, 1)}n)` : `lw(${last}n)`,
  );
  const headForm = hasHead ? `${form.map((each) => each.replace('l', 'lb')).join(' ')}\n` : '';
  const lines = all.map((row) => head.map((_, column) => cell(row[column] ?? '')).join('\t'));
  return `.PP\n.TS\n${headForm}${form.join(' ')}.\n${lines.join('\n')}\n.TE\n`;
}

function termsOfTable(rows: readonly string[][]): string {
  return rows
    .map(([term = '', ...rest]) => {
      const said = rest.filter((text) => text !== '').map((text) => sentence(inline(text)));
      return `.TP\n\\fB${literal(plain(term))}\\fR\n${said.join('\n') || '\\&'}\n`;
    })
    .join('');
}

/** So that two cells after one another read as two sentences. */
const sentence = (roff: string): string => (/[.!?:]$/.test(roff) ? roff : `${roff}.`);

const cell = (text: string): string => (text === '' ? '' : `T{\n${inline(text)}\nT}`);

const CODE = /(`+)(.+?)\1/;
const LINK = /!?\[([^\]]*)\]\(([^)\s]*)\)/;
const STRONG = /\*\*(?=\S)(.+?)\*\*/;
const EMPHASIS = /(?<![\w*])\*(?=[^\s*])(.+?)\*(?![\w*])/;
const BREAK = /<br ?\/?>/;

/** Inline marks as fonts. Code is bold, as man pages have what is typed as it stands. */
export function inline(text: string): string {
  return guarded(spans(text));
}

function spans(text: string): string {
  const found = [
    {
      match: CODE.exec(text),
      as: (m: RegExpExecArray) => `\\fB${literal((m[2] ?? '').trim())}\\fR`,
    },
    { match: LINK.exec(text), as: link },
    { match: STRONG.exec(text), as: (m: RegExpExecArray) => `\\fB${spansInBold(m[1] ?? '')}\\fR` },
    { match: EMPHASIS.exec(text), as: (m: RegExpExecArray) => `\\fI${prose(m[1] ?? '')}\\fR` },
    { match: BREAK.exec(text), as: () => '\n.br\n' },
  ].sort((a, b) => (a.match?.index ?? Infinity) - (b.match?.index ?? Infinity));
  const [first] = found;
  if (first === undefined || first.match === null) return prose(text);
  const { match } = first;
  const after = text.slice(match.index + match[0].length);
  return `${prose(text.slice(0, match.index))}${first.as(match)}${spans(after)}`;
}

const spansInBold = (text: string): string => prose(text.replaceAll('`', ''));

/** A link into the tree is its text: the pages that it leads to are in /usr/share/doc. */
function link([, text = '', target = '']: RegExpExecArray): string {
  const shown = spans(text);
  return /^https?:/.test(target) && target !== text ? `${shown} <${literal(target)}>` : shown;
}

/** The text without its marks: what is counted, and what a heading shows. */
export function plain(text: string): string {
  return text
    .replace(new RegExp(LINK, 'g'), '$1')
    .replace(new RegExp(STRONG, 'g'), '$1')
    .replace(new RegExp(CODE, 'g'), '$2')
    .replace(new RegExp(EMPHASIS, 'g'), '$1');
}

/** Text to be read: quotes and hyphens as the typesetter likes them. */
const prose = (text: string): string => unicode(text.replaceAll('\\', '\\e'));

/** Text to be typed: every character as it is. */
export function literal(text: string): string {
  const kept: Record<string, string> = {
    '\\': '\\e',
    '-': '\\-',
    "'": '\\(aq',
    '`': '\\(ga',
    '^': '\\(ha',
    '~': '\\(ti',
  };
  return unicode(text.replace(/[\\\-'`^~]/g, (character) => kept[character] ?? character));
}

/** Whatever the encoding that groff is told: \[uXXXX], decomposed as it wants them. */
function unicode(text: string): string {
  return text.replace(/[^\p{ASCII}]/gu, (character) => {
    const points = [...character.normalize('NFD')].map((each) =>
      (each.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0'),
    );
    return `\\[u${points.join('_')}]`;
  });
}

/** A line that starts like a request is text all the same. */
const guarded = (roff: string): string => roff.replace(/^(?=[.'](?!br\n))/gm, '\\&');
