import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { adminPage, adminRequest } from '../../../../shared/admin/client.ts';
import { AdminServer } from '../../../../shared/admin/server.ts';
import { readTokens, TokenGuard, tokenGuard } from '../../../../shared/admin/token.ts';
import { ConfigError } from '../../../../shared/errors.ts';
import { silentLog } from '../../../../shared/log.ts';
import { formatListen, type Listen } from '../../../../shared/net/ports.ts';

const token = 'f0'.repeat(32);
const other = '0f'.repeat(32);

let directory = '';
const servers: AdminServer[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'edge-token-'));
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  rmSync(directory, { recursive: true });
});

function file(text: string, mode = 0o640): string {
  const path = join(directory, 'token');
  rmSync(path, { force: true });
  writeFileSync(path, text, { mode });
  return path;
}

describe('a file of tokens', () => {
  test('has one a line, blank lines and comments aside', () => {
    expect(readTokens(file(`# of Prometheus\n\n${token}\n ${other} \n`))).toEqual([token, other]);
  });

  test.each([
    ['nothing', '', 'has no token'],
    ['comments only', '# none yet\n', 'has no token'],
    ['a short one', 'changeme\n', 'less than 24'],
    ['a short one after a long one', `${token}\nx\n`, ':2:1: error'],
    ['words', `${'a b '.repeat(20)}\n`, 'is not a token'],
    ['a line end inside of a header', `${token}\rX: y\n`, 'is not a token'],
    ['one too long for a head', 'a'.repeat(513), 'is not a token'],
    ['megabytes', 'a'.repeat(2 ** 20), 'longer than'],
  ])('with %s is refused, and not told', (_, text, reason) => {
    const read = () => readTokens(file(text));
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(reason);
    expect(read).not.toThrow('changeme');
  });

  test.each([0o644, 0o604, 0o642, 0o666])('of mode %o is refused', (mode) => {
    const path = file(token);
    expect(readTokens(path)).toEqual([token]);
    chmodSync(path, mode);
    expect(() => readTokens(path)).toThrow('open to every user');
  });

  test('that is not there, or is no file, is refused', () => {
    expect(() => readTokens(join(directory, 'none'))).toThrow('ENOENT');
    expect(() => readTokens(directory)).toThrow('no regular file');
  });
});

describe('the guard', () => {
  const guard = new TokenGuard([token, other]);

  test.each([`Bearer ${token}`, `bearer ${other}`, `Bearer ${token} `])('admits %j', (header) => {
    expect(guard.admits(header)).toBe(true);
  });

  test.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    `Bearer ${token}x`,
    `Bearer ${token.slice(1)}`,
    `Bearer  ${token}`,
    `Bearer ${token.toUpperCase()}`,
    `Bearer ${token},${other}`,
    `Basic ${Buffer.from(`x:${token}`).toString('base64')}`,
    token,
    `Bearer ${'x'.repeat(7000)}`,
  ])('does not admit %j', (header) => {
    expect(guard.admits(header)).toBe(false);
  });

  test('is none without a file', () => expect(tokenGuard(undefined)).toBeUndefined());
});

async function serve(listen: Listen, guard?: () => TokenGuard | undefined): Promise<string> {
  const server = new AdminServer({
    listen,
    ...(guard && { guard }),
    source: {
      checks: () => [],
      status: () => Promise.reject(new Error('nobody asks')),
      statusJson: () => ({ node: 'n1' }),
      metrics: { text: async () => 'edge_x 1\n', contentType: 'text/plain' },
      pages: { '/own': () => 1 },
    },
    log: silentLog,
  });
  servers.push(server);
  return formatListen(await server.start());
}

const loopback = { host: '127.0.0.1', port: 0 };

describe('the admin pages with a token', () => {
  const guard = new TokenGuard([token]);

  test.each(['/livez', '/readyz?verbose', '/healthz'])('%s is for everybody', async (path) => {
    const address = await serve(loopback, () => guard);
    expect((await fetch(`http://${address}${path}`)).status).toBe(200);
  });

  test.each([
    ['/metrics', 401],
    ['/status', 401],
    ['/status.json', 401],
    ['/own', 401],
    ['/livez/', 401],
    ['//livez', 401],
    ['/livez/../metrics', 401],
    ['/%6d%65trics', 401],
    ['/not-here', 401],
  ])('%s without it is %i', async (path, status) => {
    const address = await serve(loopback, () => guard);
    const got = await raw(address, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect(got).toMatch(new RegExp(`^HTTP/1.1 ${status} .*\r\n`));
    expect(got.toLowerCase()).toContain('www-authenticate: bearer');
    expect(got).not.toContain('edge_x');
  });

  test('two Authorization headers are as wrong as a wrong one', async () => {
    const address = await serve(loopback, () => guard);
    const head = ['wrong', token].map((each) => `Authorization: Bearer ${each}\r\n`).join('');
    const got = await raw(address, `GET /own HTTP/1.1\r\nHost: a\r\n${head}\r\n`);
    expect(got).toMatch(/^HTTP\/1.1 401/);
  });

  test('a client reads with it, and is told what is wrong without', async () => {
    const address = await serve(loopback, () => guard);
    expect(await adminRequest(address, '/status.json', { token })).toEqual({ node: 'n1' });
    expect(await adminPage(address, '/metrics', { token })).toBe('edge_x 1\n');
    for (const wrong of [undefined, other]) {
      const refused = adminRequest(address, '/own', { token: wrong });
      await expect(refused).rejects.toMatchObject({
        code: 'EDGE_ADMIN_TOKEN',
        remedy: expect.stringContaining('adminTokenFile'),
      });
      await expect(refused).rejects.not.toThrow(other);
    }
  });

  test('another one counts from the moment on that it is set', async () => {
    let current = guard;
    const address = await serve(loopback, () => current);
    current = new TokenGuard([other]);
    expect(await adminRequest(address, '/own', { token: other })).toBe(1);
    await expect(adminRequest(address, '/own', { token })).rejects.toThrow('do not take');
  });
});

describe('the admin pages on a unix socket', () => {
  test('are for its owner and group, and are asked by its path', async () => {
    const path = join(directory, 'run', 'admin.sock');
    const address = await serve({ path });
    expect(address).toBe(`unix:${path}`);
    expect(statSync(path).mode & 0o777).toBe(0o660);
    expect(await adminRequest(address, '/own')).toBe(1);
    await servers.pop()?.stop();
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  test('leave alone a socket on which somebody answers, and what is no socket', async () => {
    const path = join(directory, 'admin.sock');
    await serve({ path });
    await expect(serve({ path })).rejects.toMatchObject({ code: 'EDGE_ALREADY_RUNNING' });
    servers.pop();
    const plain = file('mine');
    await expect(serve({ path: plain })).rejects.toMatchObject({ code: 'EDGE_ADMIN_LISTEN' });
    servers.pop();
    expect(statSync(plain).size).toBe(4);
  });

  test('that nobody has is told', async () => {
    const asked = adminRequest(`unix:${directory}/none`, '/own');
    await expect(asked).rejects.toMatchObject({ code: 'EDGE_CONTROL_FAILED' });
  });
});

test.each(['', 'nowhere', 'http://127.0.0.1:1', '127.0.0.1:1/x', 'a b:1', 'unix:x'])(
  'what is no address is not asked: %j',
  async (address) => {
    await expect(adminRequest(address, '/own')).rejects.toMatchObject({
      code: 'EDGE_CONTROL_FAILED',
    });
  },
);

test('who never ends his head holds up nobody', async () => {
  const address = await serve(loopback);
  const [host = '', port = ''] = address.split(':');
  const slow = Array.from({ length: 50 }, () => connect(Number(port), host));
  for (const socket of slow) {
    socket.on('error', () => {});
    socket.write('GET /livez HTTP/1.1\r\nX: ');
  }
  expect(await adminRequest(address, '/own')).toBe(1);
  for (const socket of slow) socket.destroy();
});

function raw(address: string, text: string): Promise<string> {
  const [host = '', port = ''] = address.split(':');
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host);
    socket.once('data', (data) => {
      resolve(String(data));
      socket.destroy();
    });
    socket.once('error', reject);
    socket.write(text);
  });
}
