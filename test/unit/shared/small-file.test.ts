import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KeyFiles } from '../../../lb/key-files.ts';
import { readSecret } from '../../../lb/secret.ts';
import { readSmallFile } from '../../../shared/small-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'edge-small-file-'));
const path = (name: string) => join(directory, name);
beforeAll(() => {
  execFileSync('mkfifo', [path('fifo'), path('fifo.key')]);
  writeFileSync(path('short'), 'abc');
  writeFileSync(path('long'), 'abcd');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('a file is read up to its bound', () => {
  expect(readSmallFile(path('short'), 3)).toBe('abc');
  expect(readSmallFile('/proc/self/comm', 100)).toMatch(/\n$/);
});

test.each([
  ['a FIFO that nobody writes to', path('fifo'), /no regular file/],
  ['a device without an end', '/dev/zero', /no regular file/],
  ['a directory', directory, /no regular file/],
  ['one byte too many', path('long'), /longer than 3 bytes/],
  ['nothing', path('none'), /ENOENT/],
])('%s is refused at once', (_, file, message) => {
  expect(() => readSmallFile(file, 3)).toThrow(message);
});

test('keys and secrets are read so', () => {
  const log = { error: () => {} } as unknown as ConstructorParameters<typeof KeyFiles>[1];
  const keys = new KeyFiles(directory, log);
  keys.withKeys([{ name: 'fifo', chain: '' }] as unknown as Parameters<KeyFiles['withKeys']>[0]);
  expect(keys.problems.join()).toMatch(/no regular file/);
  expect(() => readSecret('/dev/zero')).toThrow(/no regular file/);
});
