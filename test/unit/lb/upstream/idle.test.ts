import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../../../lab/ready.ts';
import type { TargetConnection } from '../../../../lb/l7/upstream/types.ts';
import type { PoolState } from '../../../../lb/pools/types.ts';
import type { PoolProxy } from '../../../../shared/site/lb-objects.ts';
import {
  createRig,
  GET,
  HEAD_REQUEST,
  poolOf,
  type ScriptedTarget,
  startTarget,
  Told,
} from './rig.ts';

let rig: ReturnType<typeof createRig>;
let target: ScriptedTarget;
let fields = '';

beforeEach(async () => {
  rig = createRig();
  fields = '';
  target = await startTarget((socket) =>
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${fields}\r\n`),
  );
});
afterEach(async () => {
  await rig.close();
  await target.close();
});

async function ask(connection: TargetConnection): Promise<string[]> {
  const told = new Told();
  connection.send(HEAD_REQUEST, GET, told);
  await told.over;
  return told.lines;
}

/** So many connections, idle. */
async function park(count: number, pool = poolOf()): Promise<TargetConnection[]> {
  const connections = [];
  for (let i = 0; i < count; i++) {
    connections.push(await rig.connect(pool, target.state, { fresh: true }));
  }
  for (const connection of connections) await ask(connection);
  return connections;
}

async function advance(byMs: number): Promise<void> {
  await rig.clock.advance(byMs);
  rig.upstreams.tick(rig.clock.monotonicMs());
}

describe('idle connections (H5)', () => {
  test('are taken again, the last one first', async () => {
    const [first, second] = await park(2);
    const pool = poolOf();
    expect(rig.upstreams.takeIdle(pool, target.state)).toBe(second);
    expect(rig.upstreams.takeIdle(pool, { ...target.state })).toBe(first);
    expect(first?.isReused).toBe(true);
    expect(rig.upstreams.takeIdle(pool, target.state)).toBeUndefined();
    second?.abort();
    first?.abort();
  });

  test('are not taken where a fresh one is wanted', async () => {
    await park(1);
    const fresh = await rig.connect(poolOf(), target.state, { fresh: true });
    expect(fresh.isReused).toBe(false);
    expect(target.connections).toBe(2);
    fresh.abort();
  });

  test('are shared by pools of one identity only', async () => {
    const [connection] = await park(1);
    const others: Partial<PoolProxy>[] = [
      { tls: { verify: false } },
      { tls: { verify: true } },
      { tls: { verify: false, serverName: 'a' } },
    ];
    for (const proxy of others) {
      expect(rig.upstreams.takeIdle(poolOf(proxy), target.state)).toBeUndefined();
    }
    expect(rig.upstreams.takeIdle(poolOf({ maxQueue: 1 }, 'other'), target.state)).toBe(connection);
    connection?.abort();
  });

  test('are at most maxIdle', async () => {
    await park(3, poolOf({ maxIdle: 2 }));
    expect(rig.upstreams.idle).toBe(2);
    await until('the third is closed', () => rig.upstreams.open === 2);
  });

  test.each([
    ['30 s', '', 29_900, 200],
    ['a second less than the target says', 'Keep-Alive: max=9, timeout=5\r\n', 3900, 1200],
  ])('are kept for %s', async (_what, told, beforeMs, behindMs) => {
    fields = told;
    await park(1);
    await advance(beforeMs);
    expect(rig.upstreams.idle).toBe(1);
    await advance(behindMs + 1000);
    expect(rig.upstreams.idle).toBe(0);
    await until('it is closed', () => rig.upstreams.open === 0);
  });

  test.each([
    ['a byte', (socket: ScriptedTarget['sockets'][0]) => socket.write('H')],
    [
      'a response',
      (socket: ScriptedTarget['sockets'][0]) => socket.write('HTTP/1.1 200 OK\r\n\r\n'),
    ],
    ['FIN', (socket: ScriptedTarget['sockets'][0]) => socket.end()],
    ['RST', (socket: ScriptedTarget['sockets'][0]) => socket.resetAndDestroy()],
  ])('that say %s are closed', async (_what, say) => {
    await park(1);
    const [socket] = target.sockets;
    if (socket === undefined) throw new Error('no socket');
    say(socket);
    await until('it is gone', () => rig.upstreams.idle === 0 && rig.upstreams.open === 0);
  });

  test('that are too old are not taken, swept or not', async () => {
    await advance(1000); // a sweep
    await advance(500);
    await park(2);
    fields = 'Keep-Alive: timeout=2\r\n';
    const [old] = await park(1);
    await advance(600); // a sweep
    await advance(400);
    expect(rig.upstreams.idle).toBe(3);
    const taken = rig.upstreams.takeIdle(poolOf(), target.state);
    expect(taken).toBeDefined();
    expect(taken).not.toBe(old);
    expect(rig.upstreams.idle).toBe(1);
    taken?.abort();
  });

  test('of an exchange that was aborted do not exist', async () => {
    const connection = await rig.connect(poolOf(), target.state);
    connection.send(HEAD_REQUEST, GET, new Told());
    connection.abort();
    expect(rig.upstreams.idle).toBe(0);
    await until('it is closed', () => rig.upstreams.open === 0);
  });

  test('are closed when no pool has their target, or speaks as they do', async () => {
    await park(1);
    const pool = poolOf();
    const with_ = (state: Partial<PoolState>) => {
      const whole = { ...pool, targets: [target.state], ...state };
      rig.upstreams.update(new Map([['web', whole]]));
    };
    with_({});
    expect(rig.upstreams.idle).toBe(1);
    with_({ proxy: { ...pool.proxy, tls: { verify: true } } });
    expect(rig.upstreams.idle).toBe(0);
    await park(1);
    with_({ targets: [] });
    expect(rig.upstreams.idle).toBe(0);
    await until('they are closed', () => rig.upstreams.open === 0);
  });

  test('are not kept when their target went while they were used', async () => {
    const connection = await rig.connect(poolOf(), target.state);
    rig.upstreams.update(new Map());
    expect(await ask(connection)).toEqual(['head 200', 'end']);
    expect(rig.upstreams.idle).toBe(0);
    await until('it is closed', () => rig.upstreams.open === 0);
  });

  test('serve many exchanges, with what was read before still right', async () => {
    const pool = poolOf();
    for (let i = 0; i < 100; i++) {
      expect(await ask(await rig.connect(pool, target.state))).toEqual(['head 200', 'end']);
    }
    expect(target.connections).toBe(1);
  });
});
