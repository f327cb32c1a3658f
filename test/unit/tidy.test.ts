// The house rules, kept by a test: who imports whom, sizes, words, and READMEs that equal the code.
// The rules live in test/support/tidy; what they find reads file:line: message.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { daemonEvents } from '../../shared/daemon-events.ts';
import { everywhereMetrics, lintMetrics, type MetricSpec } from '../../shared/metrics.ts';
import {
  differences,
  readmeSections,
  sectionFindings,
  tabled,
  yamlBlock,
} from '../support/tidy/contract.ts';
import { type Finding, formatFindings } from '../support/tidy/finding.ts';
import { importFindings } from '../support/tidy/imports.ts';
import { cFunctionFindings, moduleFindings, textFindings } from '../support/tidy/shape.ts';
import { type Module, readModules, readTexts } from '../support/tidy/source.ts';

const root = join(import.meta.dirname, '../..');
const modules = readModules(root);
const texts = readTexts(root, ['.ts', '.c', '.h', '.lua', '.sh']);
const services = ['natter', 'dhcpd', 'dns', 'lb', 'console'].filter((name) =>
  existsSync(join(root, name)),
);

function report(findings: readonly Finding[]): void {
  expect(formatFindings(findings)).toEqual([]);
}

describe('the sources', () => {
  test('are all seen', () => {
    const seen = new Set(modules.map(({ path }) => path));
    const unseen = texts.filter(({ path }) => path.endsWith('.ts') && !seen.has(path));
    expect(unseen.map(({ path }) => path)).toEqual([]);
  });

  test('import only what their room may', () => report(importFindings(modules)));
  test('keep to the sizes and leave nothing undone', () => report(texts.flatMap(textFindings)));
  test('have functions of a size to be read, and no unreasoned any', () =>
    report(modules.flatMap(moduleFindings)));

  test('in C have functions of a size to be read', () => {
    const sources = texts.filter(({ path }) => /\.[ch]$/.test(path));
    report(sources.flatMap(cFunctionFindings));
  });
});

describe.each(services)('%s/README.md', (service) => {
  const path = `${service}/README.md`;
  const readme = existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : '';

  test('has the sections of the contract', () => report(sectionFindings(path, readme)));

  test('shows a configuration that passes --check-config', () => {
    const yaml = yamlBlock(readme, 'Config');
    expect(yaml, 'a ```yaml block under Config').toBeDefined();
    const directory = mkdtempSync(join(tmpdir(), 'edge-readme-'));
    const file = join(directory, `${service}.yaml`);
    try {
      writeFileSync(file, yaml ?? '');
      const args = [join(root, service, 'main.ts'), '--config', file, '--check-config'];
      expect(execFileSync(process.execPath, args, { encoding: 'utf8' })).toBe('');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('lists the metrics of the code, whose names pass the lint', async () => {
    const tables = await exportsOf(`${service}/metrics.ts`, isMetricTable);
    expect(tables.length, `tables in ${service}/metrics.ts`).toBeGreaterThan(0);
    expect(tables.flatMap(lintMetrics)).toEqual([]);
    const names = [...tables, everywhereMetrics].flatMap((table) =>
      Object.values(table).map(({ name }) => name),
    );
    report(differences(path, 'metric', tabled(readme, 'Metrics'), names));
  });

  test('lists the events of the code', async () => {
    const own = modules.filter((each) => each.path === `${service}/events.ts`);
    const used = modules.filter((each) => /^shared\/.*\/events\.ts$/.test(each.path));
    const tables = await Promise.all(
      [...own, ...used].map((each) => exportsOf(each.path, isEventTable)),
    );
    const events = [...tables.flat(), daemonEvents].flatMap((table) => Object.keys(table));
    report(differences(path, 'event', tabled(readme, 'Events'), events));
  });

  test('lists the error codes of the code', () => {
    const mine = modules.filter(
      ({ path: of }) =>
        of.startsWith(`${service}/`) || (of.startsWith('shared/') && !of.startsWith('shared/ctl/')),
    );
    const codes = mine
      .flatMap(({ strings }) => strings.map(({ text }) => text))
      .filter(isErrorCode);
    const documented = [...tabled(readme, 'Failure modes')].filter(([name]) => isErrorCode(name));
    report(differences(path, 'error code', new Map(documented), codes));
  });
});

function isErrorCode(text: string): boolean {
  return (
    /^EDGE_[A-Z]+(_[A-Z0-9]+)+$|^EDGE_[A-Z]+$/.test(text) && !/^EDGE_(STORE|TEST_.*)$/.test(text)
  );
}

async function exportsOf<T>(path: string, is: (value: unknown) => value is T): Promise<T[]> {
  const exported: Record<string, unknown> = await import(join(root, path));
  return Object.values(exported).filter(is);
}

function isTableOf(value: unknown, fields: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const rows = Object.values(value);
  return rows.length > 0 && rows.every((row) => fields.every((field) => field in Object(row)));
}

function isMetricTable(value: unknown): value is Record<string, MetricSpec> {
  return isTableOf(value, ['type', 'name', 'help']);
}

function isEventTable(value: unknown): value is Record<string, { explanation: string }> {
  return isTableOf(value, ['explanation', 'remedy']);
}

describe('the rules themselves', () => {
  const module = (path: string, parts: Partial<Module> = {}): Module => ({
    path,
    text: '// What.\n',
    imports: [],
    functions: [],
    anys: [],
    globals: [],
    strings: [],
    ...parts,
  });

  test.each([
    ['natter/a.ts', 'dhcpd/b.ts', 'natter/ may not import dhcpd/b.ts'],
    ['shared/log.ts', 'natter/a.ts', 'shared/log.ts may not import natter/a.ts'],
    ['lab/site.ts', 'natter/a.ts', 'lab/ may not import natter/a.ts'],
    ['natter/a.ts', 'test/support/b.ts', 'natter/ may not import test/support/b.ts'],
    ['shared/net/a.ts', 'node:fs', 'shared/net/ is pure: no node:fs'],
    ['natter/mapping.ts', 'node:net', 'natter/mapping.ts is pure: no node:net'],
    ['natter/a.ts', 'ioredis', 'ioredis may only be imported in shared/store/'],
    ['shared/admin/a.ts', 'koffi', 'koffi may only be imported in shared/bpf/'],
    ['shared/log.ts', 'left-pad', 'left-pad has no room'],
    ['shared/lifecycle.ts', 'shared/ctl/a.ts', 'only edgectl imports shared/ctl/a.ts'],
  ])('%s importing %s is found', (path, target, message) => {
    const [finding] = importFindings([module(path, { imports: [{ target, line: 3 }] })]);
    expect(finding).toMatchObject({ path, line: 3, message: expect.stringContaining(message) });
  });

  test.each([
    ['natter/service.ts', 'process'],
    ['shared/site/a.ts', 'Date'],
    ['natter/mapping.ts', 'Math.random'],
  ])('%s reaching for %s is found', (path, name) => {
    expect(importFindings([module(path, { globals: [{ name, line: 1 }] })])).toHaveLength(1);
  });

  test.each([
    ['// What.\n// Pure.\nlet a;\n', 1],
    ['// What. Pure, and fast.\nlet a;\n', 1],
    ['// What.\nlet a; // Pure.\n', 0],
  ])('a file that says %j is held to it', (text, found) => {
    const imports = [{ target: 'node:fs', line: 2 }];
    expect(importFindings([module('natter/a.ts', { text, imports })])).toHaveLength(found);
  });

  test('a pure file that reaches node: by way of others is found', () => {
    const chain = ['natter/table.ts', 'natter/b.ts', 'natter/c.ts', 'node:fs'];
    const modules = chain.slice(0, 3).map((path, at) => {
      return module(path, { imports: [{ target: chain[at + 1] ?? '', line: 7 }] });
    });
    expect(formatFindings(importFindings(modules))).toEqual([
      'natter/table.ts:7: natter/table.ts is pure: natter/b.ts leads to node:fs',
    ]);
  });

  test('sizes, words and names are found', () => {
    const over = (text: string, path = 'a.ts') =>
      textFindings({ path, text }).map((each) => each.line);
    expect(over(`${'x'.repeat(100)}\n`)).toEqual([]);
    expect(over(`${'x'.repeat(101)}\n`)).toEqual([1]);
    expect(over(`\t${'x'.repeat(93)}\n`)).toEqual([1]);
    expect(over('\n'.repeat(400))).toEqual([]);
    expect(over('\n'.repeat(401))).toEqual([401]);
    expect(over(`// ${'TO'}${'DO'} later\n`)).toEqual([1]);
    expect(over('', 'shared/utils.ts')).toEqual([1]);
    const c = (lines: number) => `int f(void)\n{\n${'\tx();\n'.repeat(lines)}}\n`;
    expect(cFunctionFindings({ path: 'a.c', text: c(68) })).toEqual([]);
    expect(cFunctionFindings({ path: 'a.c', text: c(69) })).toHaveLength(1);
  });

  test('functions, any and the opening comment are found in what the parser sees', () => {
    const directory = mkdtempSync(join(tmpdir(), 'edge-tidy-'));
    const body = '  void 0;\n'.repeat(70);
    const file = [
      "import fs from 'node:fs';",
      "export * from './b.ts';",
      'const text = "any process.exit";',
      `export function long() {\n${body}}`,
      'let bad: any;',
      '// because',
      'let good: any;',
      'process.exit();',
      'fs.process;',
      'Math.random();',
      'new Date();',
      'describe.each([])("x", () => {',
      body,
      '});',
      '',
    ].join('\n');
    try {
      writeFileSync(join(directory, 'tsconfig.json'), '{ "files": ["a.ts"] }');
      writeFileSync(join(directory, 'a.ts'), file);
      const [seen] = readModules(directory);
      if (seen === undefined) throw new Error('a.ts was not seen');
      expect(seen.imports.map(({ target }) => target)).toEqual(['node:fs', 'b.ts']);
      expect(seen.globals.map(({ name }) => name)).toEqual(['process', 'Math.random', 'Date']);
      expect(moduleFindings(seen).map(({ message }) => message)).toEqual([
        'a function of 72 lines, more than 70',
        '`any` without a reason beside it',
        'a file opens with what it is',
      ]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('a README that differs from the code is found, both ways', () => {
    const readme =
      '# x\n## Config\n```yaml\na: 1\n```\n## Events\n| event | |\n|---|---|\n| `old` | x |\n| `kept{a}` | x |\n';
    expect(sectionFindings('r', readme)).toHaveLength(readmeSections.length - 2);
    expect(yamlBlock(readme, 'Config')).toBe('a: 1\n');
    const found = differences('r', 'event', tabled(readme, 'Events'), ['kept', 'new']);
    expect(formatFindings(found)).toEqual([
      'r:1: event `new` is not documented',
      'r:9: event `old` is not in the code',
    ]);
  });
});
