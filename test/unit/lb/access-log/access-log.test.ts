import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../../../lab/ready.ts';
import { AccessLog } from '../../../../lb/l7/access-log/access-log.ts';
import type { AccessEntry } from '../../../../lb/l7/types.ts';
import { ManualClock } from '../../../../shared/clock.ts';

const ENTRY: AccessEntry = {
  listener: 'web',
  route: 'all',
  client: {
    address: '192.0.2.1',
    port: 1,
    localAddress: '192.0.2.2',
    localPort: 80,
    scheme: 'http',
    isTrusted: false,
  },
  protocol: 'HTTP/1.1',
  method: 'GET',
  host: 'a',
  target: '/',
  status: 200,
  bytesIn: 0,
  bytesOut: 0,
  startedMs: 0,
  endedMs: 1,
  cause: 'ok',
};

let directory: string;
let troubles: string[];
const ended = new AbortController();
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'edge-access-log-'));
  troubles = [];
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const logTo = (path: string) =>
  new AccessLog({
    path,
    node: 'n',
    clock: new ManualClock(),
    signal: ended.signal,
    onTrouble: ({ message }) => troubles.push(message),
  });

test('lines are appended', async () => {
  const path = join(directory, 'log');
  const log = logTo(path);
  log.add(ENTRY);
  log.flush();
  await until('it is written', () => readFileSync(path, 'utf8').endsWith('\n'));
  expect(log.dropped).toBe(0);
});

test.each([
  ['a FIFO that nobody reads', /ENXIO/, (name: string) => execFileSync('mkfifo', [name])],
  ['a full disk', /ENOSPC/, undefined],
  ['a directory that is none', /ENOENT/, () => {}],
])('%s costs the lines, is told once, and holds up nothing', async (_, told, make) => {
  const path = make === undefined ? '/dev/full' : join(directory, 'log');
  make?.(path);
  const log = logTo(told.source === 'ENOENT' ? join(directory, 'none', 'log') : path);
  for (let round = 1; round <= 3; round++) {
    log.add(ENTRY);
    log.flush();
    await until('it was dropped', () => log.dropped === round);
  }
  expect(troubles).toEqual([expect.stringMatching(told)]);
});

test('a FIFO whose reader sleeps takes what it has room for', async () => {
  const path = join(directory, 'log');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const log = logTo(path);
  await until('some were dropped', () => {
    for (let left = 100; left > 0; left--) log.add(ENTRY);
    log.flush();
    return log.dropped > 0;
  });
  expect(troubles).toEqual([expect.stringMatching(/EAGAIN/)]);
  closeSync(reader);
});
