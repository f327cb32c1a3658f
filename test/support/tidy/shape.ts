// Sizes and words: how long files, functions and lines may be, and what may not stand in them.
import type { Finding } from './finding.ts';
import type { Module, SourceText } from './source.ts';

const maxFileLines = 400;
const maxFunctionLines = 70;
const maxColumns = 100;
const tabColumns = 8;
// Written so that this line is none itself.
const leftovers = /\b(F[I]XME|T[O]DO)\b/;
/** A unit test is about the file whose path it mirrors. */
const saysByItsName = /^test\/unit\/.*\.test\.ts$|^[^/]+\.config\.ts$/;
const vagueNames = /(^|\/)(utils?|helpers?|common|misc|[a-z-]*manager)\.(ts|h)$/;

export function textFindings({ path, text }: SourceText): Finding[] {
  const lines = text.split('\n');
  const findings: Finding[] = lines.flatMap((content, index) => {
    const problems: string[] = [];
    const columns = columnsOf(content);
    if (columns > maxColumns && !isExpectedText(path, content))
      problems.push(`${columns} columns, more than ${maxColumns}`);
    const word = leftovers.exec(content)?.[0];
    if (word !== undefined) problems.push(`${word}: do it, or open an issue`);
    return problems.map((message) => ({ path, line: index + 1, message }));
  });
  const count = lines.length - (lines.at(-1) === '' ? 1 : 0);
  if (count > maxFileLines) {
    findings.push({
      path,
      line: maxFileLines + 1,
      message: `${count} lines, more than ${maxFileLines}`,
    });
  }
  if (vagueNames.test(path)) findings.push({ path, line: 1, message: 'the name says nothing' });
  return findings;
}

export function moduleFindings(module: Module): Finding[] {
  const { path, text, functions, anys } = module;
  const lines = text.split('\n');
  const long = functions
    .filter((each) => each.lines > maxFunctionLines)
    .map((each) => ({ path, line: each.line, message: tooLong(each.lines) }));
  const unreasoned = anys
    .filter((line) => ![line - 1, line].some((each) => /\/\/|\*/.test(lines[each - 1] ?? '')))
    .map((line) => ({ path, line, message: '`any` without a reason beside it' }));
  const opening =
    saysByItsName.test(path) || /^(#!.*\n)?\/[/*]/.test(text)
      ? []
      : [{ path, line: 1, message: 'a file opens with what it is' }];
  return [...long, ...unreasoned, ...opening];
}

/**
 * Functions of C in the kernel's style: the braces of a body stand in, or its head starts in,
 * column 1.
 */
export function cFunctionFindings({ path, text }: SourceText): Finding[] {
  const findings: Finding[] = [];
  let start = 0;
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '{' || /^[a-zA-Z_].*\)\s*\{$/.test(line)) start = index + 1;
    if (line !== '}' || start === 0) continue;
    const lines = index + 1 - start + 1;
    if (lines > maxFunctionLines) findings.push({ path, line: start, message: tooLong(lines) });
    start = 0;
  }
  return findings;
}

/** What a test expects, word for word, stays in one piece. */
function isExpectedText(path: string, line: string): boolean {
  return path.startsWith('test/') && /^\s*(['"`]).*\1[,;)\]]*$/.test(line);
}

function tooLong(lines: number): string {
  return `a function of ${lines} lines, more than ${maxFunctionLines}`;
}

function columnsOf(line: string): number {
  let columns = 0;
  for (const character of line) {
    columns += character === '\t' ? tabColumns - (columns % tabColumns) : 1;
  }
  return columns;
}
