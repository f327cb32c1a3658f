import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../../../../lab/ready.ts';
import { createBalancer } from '../../../../lb/pools/balancer.ts';
import { seededRandom } from '../../../../shared/random.ts';
import { DEFAULT_PROXY, type PoolProxy } from '../../../../shared/site/lb-objects.ts';
import { type ScriptedTarget, startTarget } from '../upstream/rig.ts';
import { createRigWith } from './rig.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const SERVED = ['head 200', 'body ok', 'end'];

let target: ScriptedTarget;
let rig: ReturnType<typeof start>;
let waiting: Socket[] = [];

function start(proxy: Partial<PoolProxy>) {
  const state = { name: 'web', proxy: { ...DEFAULT_PROXY, ...proxy }, targets: [target.state] };
  return createRigWith((nowMs) => createBalancer(state, { random: seededRandom(1), nowMs }));
}

async function begin(proxy: Partial<PoolProxy>): Promise<void> {
  waiting = [];
  target = await startTarget((socket) => waiting.push(socket));
  rig = start(proxy);
}

afterEach(async () => {
  await rig.close();
  await target.close();
});

describe('a pool whose target takes one request at a time', () => {
  const proxy = { maxRequests: 1, maxQueue: 1 };

  test('the next one waits, the one after that is refused', async () => {
    await begin(proxy);
    const first = rig.forward();
    const second = rig.forward();
    const third = await rig.get();
    expect(third.lines).toEqual(['fail 503 queue-full']);
    await until('the first came', () => waiting.length === 1);
    expect(rig.balancer.queued).toBe(1);
    waiting[0]?.write(OK);
    await first.seen.over;
    await until('the second came, by the same connection', () => waiting.length === 2);
    waiting[1]?.write(OK);
    await second.seen.over;
    expect([first.seen.lines, second.seen.lines]).toEqual([SERVED, SERVED]);
    expect(target.connections).toBe(1);
    expect(second.forwarding.record.isReused).toBe(true);
  });

  test('who waits for longer than queueMs is refused', async () => {
    await begin({ ...proxy, timeouts: { ...DEFAULT_PROXY.timeouts, queueMs: 500 } });
    const first = rig.forward();
    const second = rig.forward();
    await rig.advance(600);
    expect(second.seen.lines).toEqual(['fail 503 queue-timeout']);
    first.forwarding.abort('client-gone');
  });

  test('who leaves the queue is told nothing more, and the others move up', async () => {
    await begin({ ...proxy, maxQueue: 2 });
    const [first, second, third] = [rig.forward(), rig.forward(), rig.forward()];
    second.forwarding.abort('client-gone');
    expect(rig.forwarder.open).toBe(2);
    await until('the first came', () => waiting.length === 1);
    first.forwarding.abort('client-gone');
    await until('the third came', () => waiting.length === 2);
    waiting[1]?.write(OK);
    await third.seen.over;
    expect(third.seen.lines).toEqual(SERVED);
    expect(second.seen.lines).toEqual([]);
    expect(second.forwarding.record.cause).toBe('client-gone');
  });
});
