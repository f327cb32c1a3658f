import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../../../../lab/ready.ts';
import type { PoolProxy } from '../../../../shared/site/lb-objects.ts';
import { type Answer, type ScriptedTarget, startTarget, targetAt } from '../upstream/rig.ts';
import { createForwardRig } from './rig.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const BUSY = 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n';
const ok: Answer = (socket) => socket.write(OK);
const busy: Answer = (socket) => socket.write(BUSY);
const SERVED = ['head 200', 'body ok', 'end'];

let rig: ReturnType<typeof createForwardRig>;
const targets: ScriptedTarget[] = [];

afterEach(async () => {
  await rig.close();
  for (const target of targets.splice(0)) await target.close();
});

async function start(answers: Answer[], proxy: Partial<PoolProxy> = {}): Promise<void> {
  for (const answer of answers) targets.push(await startTarget(answer));
  rig = createForwardRig(
    targets.map(({ state }) => state),
    proxy,
  );
}

/** A port where nobody listens. */
async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('a target that cannot be reached (H4)', () => {
  test.each(['GET', 'POST'])('%s goes to the next one, for free', async (method) => {
    await start([ok]);
    rig.balancer.targets = [targetAt(await deadPort()), ...rig.balancer.targets];
    rig.balancer.budget = 0;
    const { lines, record } = await rig.get({ method });
    expect(lines).toEqual(SERVED);
    expect(record).toMatchObject({ tries: 2, target: targets[0]?.state.id, cause: 'ok' });
    expect(rig.balancer.outcomes).toEqual(['connect-failed', 'response 200']);
  });

  test('with its body, which came meanwhile', async () => {
    await start([ok]);
    rig.balancer.targets = [targetAt(await deadPort()), ...rig.balancer.targets];
    const { seen, forwarding } = rig.forward({ method: 'POST', bodyBytes: 6 });
    expect(forwarding.writeBody(Buffer.from('abc'))).toBe(true);
    expect(forwarding.writeBody(Buffer.from('def'))).toBe(true);
    forwarding.endBody(undefined);
    await seen.over;
    expect(seen.lines).toEqual(SERVED);
    expect(targets[0]?.received).toMatch(/\r\n\r\nabcdef$/);
  });

  test('the second one goes by the budget', async () => {
    await start([]);
    rig.balancer.targets = [targetAt(await deadPort()), targetAt(await deadPort())];
    rig.balancer.budget = 0;
    const { lines, record } = await rig.get();
    expect(lines).toEqual(['fail 503 connect-failed']);
    expect(record.tries).toBe(2);
  });

  test('retries.count bounds them', async () => {
    await start([], { retries: { count: 3, budgetPercent: 20, statuses: [] } });
    rig.balancer.targets = [targetAt(await deadPort())];
    const { lines, record } = await rig.get();
    expect(lines).toEqual(['fail 503 connect-failed']);
    expect(record.tries).toBe(4);
  });

  test('a black hole is a timeout, after connectMs', async () => {
    // One that says nothing in the handshake: there is no other on loopback.
    const retries = { count: 0, budgetPercent: 20, statuses: [] };
    await start([() => {}], { retries, tls: { verify: false } });
    const { seen } = rig.forward();
    await rig.advance(2900);
    expect(seen.lines).toEqual([]);
    await rig.advance(200);
    expect(seen.lines).toEqual(['fail 504 connect-timeout']);
    expect(rig.balancer.outcomes).toEqual(['connect-failed']);
  });
});

describe('an idle connection that dies as it is used (#74)', () => {
  /** The second request on a connection gets no answer. */
  const dropsSecond = (): Answer => {
    const served = new WeakSet();
    return (socket) => {
      if (served.has(socket)) socket.resetAndDestroy();
      else socket.write(OK);
      served.add(socket);
    };
  };

  test.each(['GET', 'PUT', 'DELETE'])('%s is sent once more, on a fresh one', async (method) => {
    await start([dropsSecond()]);
    await rig.get();
    const { lines, record } = await rig.get({ method });
    expect(lines).toEqual(SERVED);
    expect(record).toMatchObject({ tries: 2, isReused: false });
    expect(targets[0]?.connections).toBe(2);
    expect(rig.balancer.outcomes).toEqual(['response 200', 'response 200']);
  });

  test('PUT with its body', async () => {
    await start([dropsSecond()]);
    await rig.get();
    const { seen, forwarding } = rig.forward({ method: 'PUT', bodyBytes: 3 });
    forwarding.writeBody(Buffer.from('abc'));
    forwarding.endBody(undefined);
    await seen.over;
    expect(seen.lines).toEqual(SERVED);
    expect(targets[0]?.received.match(/abc/g)).toHaveLength(2);
  });

  test('PUT whose body is too long to be kept is not', async () => {
    await start([
      (socket, request) => {
        if (request.startsWith('GET')) socket.write(OK);
      },
    ]);
    await rig.get();
    const { seen, forwarding } = rig.forward({ method: 'PUT', bodyBytes: 100_000 });
    forwarding.writeBody(Buffer.alloc(70_000, 'x'));
    await until('it came', () => (targets[0]?.received.length ?? 0) > 70_000);
    targets[0]?.sockets[0]?.resetAndDestroy();
    await seen.over;
    expect(seen.lines).toEqual(['fail 502 upstream-reset']);
  });

  test('POST goes by a fresh one if the kernel knows that the idle one is dead', async () => {
    await start([ok]);
    await rig.get();
    rig.balancer.budget = 0;
    // The kernel has the RST, the event loop has not seen it.
    targets[0]?.sockets[0]?.resetAndDestroy();
    const { lines, record } = await rig.get({ method: 'POST' });
    expect(lines).toEqual(SERVED);
    expect(record.tries).toBe(2);
    expect(targets[0]?.received.match(/POST/g)).toHaveLength(1);
  });

  test('POST is not', async () => {
    await start([dropsSecond()]);
    await rig.get();
    const { lines } = await rig.get({ method: 'POST' });
    expect(lines).toEqual(['fail 502 upstream-reset']);
    expect(rig.balancer.outcomes).toEqual(['response 200', 'failed']);
  });

  test('not without budget', async () => {
    await start([dropsSecond()]);
    rig.balancer.budget = 0;
    await rig.get();
    expect((await rig.get()).lines).toEqual(['fail 502 upstream-reset']);
  });

  test('once only: a fresh connection that dies is the target', async () => {
    await start([
      (socket, _head, index) => {
        if (index === 0) socket.write(OK);
        else socket.resetAndDestroy();
      },
    ]);
    await rig.get();
    const { lines, record } = await rig.get();
    expect(lines).toEqual(['fail 502 upstream-reset']);
    expect(record.tries).toBe(2);
  });

  test('not after a byte of a response (#76)', async () => {
    await start([
      (socket, _head, index) => {
        if (index === 0) socket.write(OK);
        else socket.end('HTTP/1.1 2');
      },
    ]);
    await rig.get();
    const { lines, record } = await rig.get();
    expect(lines).toEqual(['fail 502 upstream-reset']);
    expect(record.tries).toBe(1);
  });
});

describe('statuses of the pool', () => {
  const proxy = { retries: { count: 2, budgetPercent: 20, statuses: [503] } };

  test('GET goes to another target', async () => {
    await start([busy, ok], proxy);
    const { lines, record } = await rig.get();
    expect(lines).toEqual(SERVED);
    expect(record).toMatchObject({ tries: 2, status: 200 });
    expect(rig.balancer.outcomes).toEqual(['response 503', 'response 200']);
  });

  test.each([
    ['POST', { method: 'POST' }],
    ['a body', { method: 'PUT', bodyBytes: 0 }],
  ])('not with %s', async (_what, options) => {
    await start([busy, ok], proxy);
    const { seen, forwarding } = rig.forward(options);
    forwarding.endBody(undefined);
    await seen.over;
    expect(seen.lines).toEqual(['head 503', 'end']);
  });

  test('not without budget: the response goes on', async () => {
    await start([busy, ok], proxy);
    rig.balancer.budget = 0;
    expect((await rig.get()).lines).toEqual(['head 503', 'end']);
    expect(rig.balancer.outcomes).toEqual(['cancelled', 'response 503']);
  });

  test('at most count times; then the response goes on', async () => {
    await start([busy], proxy);
    const { lines, record } = await rig.get();
    expect(lines).toEqual(['head 503', 'end']);
    expect(record.tries).toBe(3);
  });
});
