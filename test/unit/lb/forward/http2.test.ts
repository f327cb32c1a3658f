import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../../../lab/ready.ts';
import { targetAt } from '../upstream/rig.ts';
import { createForwardRig } from './rig.ts';

let server: Http2Server;
let rig: ReturnType<typeof createForwardRig>;
let handle: (stream: ServerHttp2Stream, headers: Record<string, unknown>) => void = () => {};

beforeEach(async () => {
  server = createServer();
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    handle(stream, headers);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  rig = createForwardRig([targetAt(port)], { protocol: 'h2c' });
});

afterEach(async () => {
  await rig.close();
  await new Promise((resolve) => server.close(resolve));
});

describe('a pool that speaks h2c', () => {
  test('is sent the request with its length, and its response comes back', async () => {
    const seen: unknown[] = [];
    handle = (stream, headers) => {
      seen.push(headers['content-length'], headers[':authority']);
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    };
    const route = { rewriteHost: 'inner.example' };
    const { seen: client, forwarding } = rig.forward({ method: 'POST', bodyBytes: 5, route });
    forwarding.writeBody(Buffer.from('hello'));
    forwarding.endBody(undefined);
    await client.over;
    expect(seen).toEqual(['5', 'inner.example']);
    expect(client.lines).toEqual(['head 200', 'body hello', 'end']);
    expect(rig.balancer.outcomes).toEqual(['response 200']);
    expect((await rig.get()).record.isReused).toBe(true);
  });

  test.each(['GET', 'POST'])('a refused stream: %s is sent once more', async (method) => {
    let count = 0;
    handle = (stream) => {
      if (count++ === 0) return stream.close(7);
      return stream.respond({ ':status': 204 }, { endStream: true });
    };
    const { lines, record } = await rig.get({ method });
    expect(lines).toEqual(['head 204', 'end']);
    expect(record.tries).toBe(2);
  });

  test('a reset is 502', async () => {
    handle = (stream) => stream.close(2);
    expect((await rig.get()).lines).toEqual(['fail 502 upstream-reset']);
    expect(rig.balancer.outcomes).toEqual(['failed']);
  });

  test('a client that leaves resets its stream, and the session stays', async () => {
    const codes: number[] = [];
    handle = (stream) => {
      stream.on('close', () => codes.push(stream.rstCode));
      stream.respond({ ':status': 200 });
      stream.write('x');
    };
    const { seen, forwarding } = rig.forward();
    await until('it began', () => seen.bytes === 1);
    forwarding.abort('client-gone');
    await until('it is reset', () => codes.length === 1);
    expect(codes).toEqual([8]);
    expect(rig.upstreams.idle).toBe(1);
  });

  test('a body that stops is cut after idleMs', async () => {
    handle = (stream) => {
      stream.respond({ ':status': 200 });
      stream.write('x');
    };
    const { seen } = rig.forward({ route: { timeouts: { idleMs: 500 } } });
    await until('it began', () => seen.bytes === 1);
    await rig.advance(700);
    expect(seen.lines).toEqual(['head 200', 'body x', 'cut upstream-timeout']);
  });
});
