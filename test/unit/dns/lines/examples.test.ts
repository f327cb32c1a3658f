// The made-up lists of deploy/examples/lines: as its README names them, and right for the lab.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { compileLines } from '../../../../dns/lines/compile.ts';
import { nameLines } from '../../../../dns/lines/fallback.ts';
import { parseList } from '../../../../dns/lines/formats/parse.ts';
import { lineOf, lookup } from '../../../../dns/lines/lookup.ts';
import { planClient } from '../../../../lab/plan.ts';
import { loadConfig } from '../../../../shared/config/load.ts';
import { bytesOf } from '../../../support/dns/lines-naive.ts';

const directory = join(import.meta.dirname, '../../../../deploy/examples/lines');
const readme = readFileSync(join(directory, 'README.md'), 'utf8');
const yaml = /```yaml\n([^`]*)```/.exec(readme)?.[1] ?? '';
const schema = z.object({ lines: z.array(z.object({ file: z.string(), line: z.string() })) });
const { lines: named } = loadConfig({ file: 'README.md', schema, text: yaml });

const lists = named.map(({ file, line }) => {
  const name = basename(file);
  const bytes = readFileSync(join(directory, name));
  const parsed = parseList(bytes, { file: name, format: 'auto', line });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.list;
});
const names = nameLines(
  [],
  lists.flatMap(({ lines }) => lines),
);
if ('problems' in names) throw new Error('refused');
const { tree, report } = compileLines(lists, [], names.lines);

function lineAt(text: string): string | undefined {
  const { family, bytes } = bytesOf(text);
  return tree.lines[lineOf(lookup(tree, family, bytes))];
}

it('the README names every list, once', () => {
  const files = readdirSync(directory).filter((name) => name.endsWith('.txt'));
  expect(named.map(({ file }) => basename(file)).sort()).toEqual(files.sort());
});

it.each([1, 2, 3])('client %i of the lab is of the line that it is named after', (index) => {
  const { name, address } = planClient(index);
  expect(lineAt(address)).toBe(name);
});

it('a province is inside of its ISP', () => {
  expect([lineAt('198.18.17.1'), lineAt('198.18.1.1')]).toEqual(['gd-telecom', 'telecom']);
  expect([lineAt('2001:db8:2400::1'), lineAt('2001:db8:2500::1')]).toEqual(['gd-unicom', 'unicom']);
  const nested = report.nested.map(({ line, inside }) => `${line} in ${inside}`).sort();
  expect(nested).toEqual(['gd-mobile in mobile', 'gd-telecom in telecom', 'gd-unicom in unicom']);
});

it('contradicts itself nowhere, and is nobody’s space', () => {
  const prefixes = report.files.reduce((sum, { prefixes: count }) => sum + count, 0);
  expect(report).toMatchObject({
    conflicts: { count: 0 },
    stray: { count: 0 },
    repeats: 0,
    bogons: { count: prefixes },
  });
  const spaces = report.bogons.examples.map(({ space }) => space);
  expect(spaces.filter((space) => !/documentation|benchmarks/.test(space))).toEqual([]);
});
