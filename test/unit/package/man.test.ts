import { execFileSync, spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inline, literal, manPage, plain, roffOf } from '../../../deploy/package/man.ts';

const TITLE = { name: 'edge-x', section: 8, date: '2026-01-02', source: 'Edgeplane 1.0' };
const page = (markdown: string): string => manPage(TITLE, roffOf(markdown));

function warnings(roff: string): string {
  const args = ['-t', '-man', '-Tutf8', '-ww', '-z'];
  return spawnSync('groff', args, { input: roff, encoding: 'utf8' }).stderr;
}

/** As a reader sees it. */
function shown(roff: string): string {
  // For a plain printer: no bold by striking twice.
  const args = ['-t', '-man', '-Tutf8', ...['-P-c', '-P-b', '-P-o', '-P-u']];
  return execFileSync('groff', args, { input: roff, encoding: 'utf8' });
}

describe('inline text', () => {
  it.each([
    ['plain', 'plain'],
    ['`--flag` it', '\\fB\\-\\-flag\\fR it'],
    ['**all** of *it*', '\\fBall\\fR of \\fIit\\fR'],
    ['2 * 3 * 4', '2 * 3 * 4'],
    ['[rules](docs/a.md) apply', 'rules apply'],
    ['[`x`](a.md)', '\\fBx\\fR'],
    ['[site](https://example.com/a-b)', 'site <https://example.com/a\\-b>'],
    ['.TH is text', '\\&.TH is text'],
    ["'quoted' start", "\\&'quoted' start"],
    ['back\\slash', 'back\\eslash'],
    ['µs → 5–10', '\\[u00B5]s \\[u2192] 5\\[u2013]10'],
    ['é', '\\[u0065_0301]'],
    ['`a*b*c`', '\\fBa*b*c\\fR'],
  ])('%s', (text, expected) => expect(inline(text)).toBe(expected));

  it('is typed as it stands', () =>
    expect(literal("a-b 'c' `d` ~^")).toBe('a\\-b \\(aqc\\(aq \\(gad\\(ga \\(ti\\(ha'));
  it('is counted without its marks', () => expect(plain('**a** `b` [c](d)')).toBe('a b c'));
});

describe('blocks', () => {
  it.each([
    ['## Signals', '.SH SIGNALS\n'],
    ['### Access log', '.SS Access log\n'],
    ['one\ntwo', '.PP\none two\n'],
    ['    code -x\n\n    .more', '.PP\n.in +4n\n.EX\ncode \\-x\n\n\\&.more\n.EE\n.in\n'],
    ['```yaml\na: 1\n```', '.PP\n.in +4n\n.EX\na: 1\n.EE\n.in\n'],
    ['- a\n- b\n  c', '.IP \\(bu 2\na\n.IP \\(bu 2\nb c\n'],
    ['1. a\n2. b', '.IP 1. 4\na\n.IP 2. 4\nb\n'],
    ['- a\n\n      code', '.IP \\(bu 2\na\n.RS 2\n.PP\n.in +4n\n.EX\ncode\n.EE\n.in\n.RE\n'],
  ])('%s', (markdown, expected) => expect(roffOf(markdown)).toBe(expected));

  it('of a table go to tbl when its text has room', () => {
    const roff = page('| to | do |\n|---|---|\n| back up | `edgectl get` \\| less |');
    expect(roff).toMatch(/^'\\" t\n/);
    expect(roff).toMatch('.TS\nlbw(7n) lbw(18n)\nlw(7n) lw(18n).\n');
    expect(shown(roff)).toMatch(/back up {3}edgectl get \| less/);
  });

  it('of a table whose names leave no room are terms', () => {
    const name = 'a_metric_with_a_name_of_some_length_total';
    const text = 'what it counts, in words that take more than one line of a page';
    const roff = page(
      `| metric | type | says |\n|---|---|---|\n| \`${name}\` | counter | ${text} |`,
    );
    expect(roff).not.toMatch('.TS');
    expect(shown(roff)).toMatch(new RegExp(`${name}\n +counter. +what it counts`));
  });
});

it.each([...globSync('*/README.md'), 'docs/edgectl.md'].sort())('%s makes a page', (path) => {
  const roff = page(readFileSync(path, 'utf8'));
  expect(warnings(roff)).toBe('');
  const text = shown(roff);
  expect(text).toMatch(/^EDGE-X\(8\)/);
  expect(text).not.toMatch(/\*\*|\]\(|```/);
});
