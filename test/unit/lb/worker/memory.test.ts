import { afterEach, expect, test } from 'vitest';
import { L7Worker } from '../../../../lb/worker/worker.ts';
import type { WorkerSettings } from '../../../../lb/workers/messages.ts';
import { ManualClock } from '../../../../shared/clock.ts';
import { seededRandom } from '../../../../shared/random.ts';

const SETTINGS: WorkerSettings = {
  node: 'n',
  workers: 1,
  index: 0,
  accessLog: undefined,
  limits: {
    ...{ connections: 100, perClient: 100, requests: 100, workerMemory: 1000 },
    ...{ head: 1000, body: 1000, keepAlive: 1000, handshake: 1000 },
  },
  keys: { sticky: Buffer.alloc(32), tickets: Buffer.alloc(32) },
};
const ended = new AbortController();
afterEach(() => ended.abort());

test('a worker that is full looks for garbage, and not all the time', async () => {
  const clock = new ManualClock();
  let usedBytes = 1000;
  let collected = 0;
  const worker = new L7Worker({
    settings: SETTINGS,
    send: () => {},
    clock,
    random: seededRandom(1),
    rssBytes: () => 5000, // does not count
    memory: { usedBytes: () => usedBytes, collect: () => void collected++ },
    signal: ended.signal,
  });
  worker.start();
  await clock.advance(10_000);
  expect(collected).toBe(0);
  usedBytes = 1001;
  await clock.advance(10_000);
  expect(collected).toBe(5);
  usedBytes = 1000;
  await clock.advance(10_000);
  expect(collected).toBe(5);
});
