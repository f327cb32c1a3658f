import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../../../lab/ready.ts';
import { controlRequest, controlStream } from '../../../../shared/admin/client.ts';
import { ByteStream, type ControlRoute, ControlServer } from '../../../../shared/admin/control.ts';
import { OperationalError } from '../../../../shared/errors.ts';
import { silentLog } from '../../../../shared/log.ts';

let directory = '';
let socketPath = '';
const servers: ControlServer[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'edge-control-'));
  socketPath = join(directory, 'run', 'natter.sock');
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  rmSync(directory, { recursive: true });
});

async function serve(routes: ControlRoute[], path = socketPath): Promise<ControlServer> {
  const server = new ControlServer({ socketPath: path, routes, log: silentLog });
  servers.push(server);
  await server.start();
  return server;
}

const echo: ControlRoute = { method: 'POST', path: '/echo', handle: ({ body }) => ({ body }) };

describe('the control socket', () => {
  test('takes JSON and answers with JSON', async () => {
    await serve([echo, { method: 'GET', path: '/q', handle: ({ query }) => query.get('a') }]);
    expect(await controlRequest(socketPath, 'POST', '/echo', { eip: 'ü' })).toEqual({
      body: { eip: 'ü' },
    });
    expect(await controlRequest(socketPath, 'POST', '/echo')).toEqual({});
    expect(await controlRequest(socketPath, 'GET', '/q?a=1')).toBe('1');
  });

  test('is for its owner and group only, and goes with the server', async () => {
    const server = await serve([echo]);
    expect(statSync(socketPath).mode & 0o777).toBe(0o660);
    await server.stop();
    expect(statSync(socketPath, { throwIfNoEntry: false })).toBeUndefined();
  });

  test('tells an operational error by code, message with causes, and remedy', async () => {
    const handle = () => {
      const cause = new Error('ENOSPC');
      throw new OperationalError('EDGE_TABLE_FULL', 'table is full', {
        cause,
        remedy: 'raise the limit',
      });
    };
    await serve([{ method: 'POST', path: '/drain', handle }]);
    await expect(controlRequest(socketPath, 'POST', '/drain')).rejects.toMatchObject({
      name: 'OperationalError',
      code: 'EDGE_TABLE_FULL',
      message: 'table is full: ENOSPC',
      remedy: 'raise the limit',
    });
  });

  test('a bug in a verb is logged and told, and the daemon lives', async () => {
    const logged: unknown[] = [];
    const log = { ...silentLog, error: (event: string) => logged.push(event) };
    const handle = () => Promise.reject(new TypeError('undefined is not a function'));
    const server = new ControlServer({
      socketPath,
      routes: [{ method: 'GET', path: '/a', handle }, echo],
      log,
    });
    servers.push(server);
    await server.start();
    await expect(controlRequest(socketPath, 'GET', '/a')).rejects.toMatchObject({
      code: 'EDGE_INTERNAL',
    });
    expect(logged).toEqual(['admin-request-failed']);
    expect(await controlRequest(socketPath, 'POST', '/echo', 1)).toEqual({ body: 1 });
  });

  test('a verb that is not there says which are', async () => {
    await serve([echo]);
    await expect(controlRequest(socketPath, 'GET', '/echo')).rejects.toMatchObject({
      code: 'EDGE_CONTROL_NO_VERB',
      remedy: 'there is: POST /echo',
    });
  });

  test.each([
    ['not JSON', '{', "the request's body is not JSON"],
    ['too long', JSON.stringify('x'.repeat(2_000_000)), 'longer than 1048576 bytes'],
  ])('a body that is %s is refused', async (_, body, message) => {
    await serve([echo]);
    const answer = await new Promise<string>((resolve, reject) => {
      const call = request({ socketPath, method: 'POST', path: '/echo' }, async (response) => {
        response.setEncoding('utf8');
        let text = '';
        for await (const chunk of response) text += chunk;
        resolve(text);
      });
      call.on('error', reject);
      call.end(body);
    });
    expect(JSON.parse(answer)).toMatchObject({
      code: 'EDGE_CONTROL_BODY',
      message: expect.stringContaining(message),
    });
  });

  test('streams bytes until the source ends', async () => {
    async function* bytes() {
      yield Uint8Array.of(1, 2);
      yield Uint8Array.of(3);
    }
    await serve([
      {
        method: 'GET',
        path: '/trace',
        handle: () => new ByteStream('application/x-pcapng', bytes()),
      },
    ]);
    const got: number[] = [];
    for await (const chunk of controlStream(socketPath, 'GET', '/trace')) got.push(...chunk);
    expect(got).toEqual([1, 2, 3]);
  });

  test('a client that leaves ends the stream at its source', async () => {
    let ended = false;
    async function* bytes(signal: AbortSignal) {
      yield Uint8Array.of(1);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      ended = true;
    }
    await serve([
      {
        method: 'GET',
        path: '/trace',
        handle: ({ signal }) => new ByteStream('a/b', bytes(signal)),
      },
    ]);
    const leave = new AbortController();
    for await (const _ of controlStream(socketPath, 'GET', '/trace', undefined, leave))
      leave.abort();
    await until('the end of the source', () => ended, { timeoutMs: 5000 });
  });

  test('stop ends a stream that runs', async () => {
    async function* bytes(signal: AbortSignal) {
      yield Uint8Array.of(1);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    }
    const server = await serve([
      {
        method: 'GET',
        path: '/trace',
        handle: ({ signal }) => new ByteStream('a/b', bytes(signal)),
      },
    ]);
    const stream = controlStream(socketPath, 'GET', '/trace');
    await stream.next();
    await server.stop();
    await expect(stream.next()).rejects.toMatchObject({ code: 'EDGE_CONTROL_FAILED' });
  });
});

describe('the path of the control socket', () => {
  test('a socket left by a dead daemon is replaced', async () => {
    const path = join(directory, 'stale.sock');
    // A process that is killed leaves its file: bind, and close without the unlink that close does.
    const { execFileSync } = await import('node:child_process');
    const die = '() => process.kill(process.pid, 9)';
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, ${die})`;
    expect(() => execFileSync(process.execPath, ['-e', script], { stdio: 'ignore' })).toThrow();
    expect(statSync(path).isSocket()).toBe(true);
    await serve([echo], path);
    expect(await controlRequest(path, 'POST', '/echo', 1)).toEqual({ body: 1 });
  });

  test('a daemon that lives is left alone', async () => {
    await serve([echo]);
    await expect(serve([echo])).rejects.toMatchObject({ code: 'EDGE_ALREADY_RUNNING' });
    expect(await controlRequest(socketPath, 'POST', '/echo', 1)).toEqual({ body: 1 });
  });

  test('a file that is no socket is left alone', async () => {
    const path = join(directory, 'precious.txt');
    writeFileSync(path, 'data');
    await expect(serve([echo], path)).rejects.toMatchObject({ code: 'EDGE_CONTROL_SOCKET' });
    expect(statSync(path).size).toBe(4);
  });

  test('a path that is too long is refused before the kernel truncates it', async () => {
    await expect(serve([echo], `/tmp/${'x'.repeat(120)}`)).rejects.toMatchObject({
      code: 'EDGE_CONTROL_SOCKET',
    });
  });
});

describe('the client', () => {
  test('says that nothing runs, with exit code 3', async () => {
    await expect(controlRequest(socketPath, 'GET', '/status')).rejects.toMatchObject({
      code: 'EDGE_NOT_RUNNING',
      exitCode: 3,
    });
  });

  test('gives up on a daemon that does not answer', async () => {
    const path = join(directory, 'mute.sock');
    const callers: Socket[] = [];
    const mute = createServer((caller) => callers.push(caller)).listen(path);
    await until('the mute server', () => mute.listening, { timeoutMs: 5000 });
    await expect(
      controlRequest(path, 'GET', '/', undefined, { timeoutMs: 20 }),
    ).rejects.toMatchObject({
      code: 'EDGE_CONTROL_FAILED',
      message: `${path} did not answer in time`,
    });
    for (const caller of callers) caller.destroy();
    await new Promise((resolve) => mute.close(resolve));
  });
});
