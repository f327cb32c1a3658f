import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../../../shared/clock.ts';
import {
  formatSnapshot,
  parseSnapshot,
  type Remembered,
} from '../../../../shared/health/snapshot.ts';
import { SnapshotKeeper } from '../../../../shared/health/snapshot-keeper.ts';

const states = new Map<string, Remembered>([
  ['aa', { measured: 'down', sinceMs: 1_790_000_000_000 }],
  ['bb', { measured: 'up', sinceMs: 0 }],
]);

test('what is written reads back', () => {
  expect(parseSnapshot(formatSnapshot(states))).toEqual(states);
});

test.each([
  ['', 'nothing'],
  ['{"edgeHealth":1,"states":[["aa","do', 'half of it'],
  ['null', 'no object'],
  ['{"edgeHealth":2,"states":[]}', 'another format'],
  ['{"edgeHealth":1,"states":[["aa","maybe",0]]}', 'no state'],
  ['{"edgeHealth":1,"states":[["aa","up",null]]}', 'no time'],
])('%s is refused: %s', (text) => {
  expect(() => parseSnapshot(text)).toThrow();
});

describe('on disk', () => {
  let directory: string;
  let clock: ManualClock;
  let logged: string[];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'edge-health-'));
    clock = new ManualClock();
    logged = [];
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  function keeper(path: string): SnapshotKeeper {
    const write = (event: string) => logged.push(event);
    const log = { debug: write, info: write, warn: write, error: write };
    const rows = [...states].map(([id, state]) => ({ id, ...state }));
    return new SnapshotKeeper({ snapshotPath: path, clock, log }, () => rows);
  }

  test('it is written a while after a change, and at the end', async () => {
    const path = join(directory, 'state/health.snapshot');
    const one = keeper(path);
    await one.load();
    expect(one.of('aa')).toBeUndefined();
    one.changed();
    await one.close();
    expect(readdirSync(join(directory, 'state'))).toEqual(['health.snapshot']);
    const next = keeper(path);
    await next.load();
    expect(next.of('aa')).toEqual(states.get('aa'));
    expect(logged).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test('a damaged one is logged and not used', async () => {
    const path = join(directory, 'health.snapshot');
    writeFileSync(path, '{');
    const one = keeper(path);
    await one.load();
    expect(one.of('aa')).toBeUndefined();
    expect(logged).toEqual(['health-snapshot-refused']);
    await one.close();
    expect(readFileSync(path, 'utf8'), 'nothing has changed').toBe('{');
  });

  test('a disk that takes nothing is logged', async () => {
    writeFileSync(join(directory, 'file'), '');
    const one = keeper(join(directory, 'file/health.snapshot'));
    one.changed();
    await one.close();
    expect(logged).toEqual(['health-snapshot-unwritten']);
  });
});
