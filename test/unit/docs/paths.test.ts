// What the pages name is there: the files and headings that they link to, and the files that they
// write as `code`. So a file that is renamed is renamed in the pages, too.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../..');

/** With those that are not committed yet. */
const files: ReadonlySet<string> = new Set(
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
    .split('\n')
    .filter((file) => file !== ''),
);
const folders: ReadonlySet<string> = new Set([...files].flatMap(foldersOf));
const topLevel: ReadonlySet<string> = new Set([...files].map((file) => file.split('/')[0] ?? ''));
const pages = [...files].filter((file) => /^(docs\/[^/]+|([^/]+\/)*README)\.md$/.test(file)).sort();

/** Written as code in a page, but only there at run time, or made by a build. */
const MADE = /^(node_modules|dist)\/|\.bpf\.o$/;

const ENDINGS = ['.test.ts', '.ts'];

function foldersOf(file: string): string[] {
  const parts = file.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function isThere(path: string): boolean {
  const plain = path.replace(/\/$/, '');
  return files.has(plain) || folders.has(plain) || plain === '.' || plain === '';
}

function textOf(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

/** Of the page without its code blocks, which may have anything in them. */
function proseOf(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, '').replace(/^ {4}.*$/gm, '');
}

/** As the forges make them: lower case, hyphens for blanks, other signs gone, the second one -1. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  const headings = text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6} +(.*)$/gm);
  for (const [, heading = ''] of headings) {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const base = words.replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-');
    let anchor = base;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${base}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

function linkProblems(page: string): string[] {
  const text = textOf(page);
  const links = proseOf(text).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g);
  return [...links].flatMap(([, link = '']) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : normalize(join(dirname(page), path));
    if (!isThere(target)) return [`${link}: no such file`];
    if (anchor === undefined || !target.endsWith('.md')) return [];
    return anchorsOf(textOf(target)).has(anchor) ? [] : [`${link}: no such heading`];
  });
}

/** `shared/net/ipv4.ts`, `lb/pools/select`, `test/unit/x/*.test.ts`: what begins like a folder. */
function codeProblems(page: string): string[] {
  const words = [...proseOf(textOf(page)).matchAll(/`([^`\s]+)`/g)].map(([, word = '']) => word);
  const paths = words.filter(
    (word) => topLevel.has(word.split('/')[0] ?? '') && word.includes('/'),
  );
  return paths.filter((path) => !isNamedRight(path)).map((path) => `\`${path}\`: no such file`);
}

function isNamedRight(written: string): boolean {
  const path = written.replace(/[:#].*$/, '');
  const isObjectId = /^(\w+)\/\1(-\d+)?(\/|$)/.test(path); // dhcpd/dhcpd-1
  const isForm = !/^[\w./*-]+$/.test(path) || path.includes('NAME');
  if (isObjectId || isForm || MADE.test(path)) return true;
  // Tests and sources may be named without what every one of them ends with.
  if (!path.includes('*')) return isThere(path) || ENDINGS.some((end) => files.has(path + end));
  const pattern = new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\*+/g, '.*')}$`);
  return [...files].some((file) => pattern.test(file));
}

describe.each(pages)('%s', (page) => {
  test('links to files and headings that are there', () => expect(linkProblems(page)).toEqual([]));
  test('names files that are there', () => expect(codeProblems(page)).toEqual([]));
});

test('a page that names what is gone is found', () => {
  expect(pages).toContain('docs/ARCHITECTURE.md');
  expect(isNamedRight('shared/net/ipv5.ts')).toBe(false);
  expect(isNamedRight('test/unit/docs/*.spec.ts')).toBe(false);
  expect([...anchorsOf("# A `b`: c's\n## Two, too\n## Two, too")]).toEqual([
    'a-b-cs',
    'two-too',
    'two-too-1',
  ]);
});
