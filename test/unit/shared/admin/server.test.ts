import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { adminRequest } from '../../../../shared/admin/client.ts';
import { AdminServer, type AdminSource } from '../../../../shared/admin/server.ts';
import { OperationalError } from '../../../../shared/errors.ts';
import { silentLog } from '../../../../shared/log.ts';
import { formatListen } from '../../../../shared/net/ports.ts';

const servers: AdminServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

const source: AdminSource = {
  checks: () => [{ name: 'table' }],
  status: () => ({
    service: 'natter',
    node: 'n1',
    version: '1',
    state: { text: 'ready', level: 'ok' },
    facts: [],
    tables: [],
  }),
  statusJson: () => ({ node: 'n1' }),
  metrics: { text: async () => 'edge_x 1\n', contentType: 'text/plain; version=0.0.4' },
};

async function start(changes: Partial<AdminSource> = {}): Promise<string> {
  const listen = { host: '127.0.0.1', port: 0 };
  const server = new AdminServer({ listen, source: { ...source, ...changes }, log: silentLog });
  servers.push(server);
  return `http://${formatListen(await server.start())}`;
}

describe('the admin server', () => {
  test.each([
    ['/livez', 200, 'ok\n'],
    ['/healthz', 200, 'ok\n'],
    ['/readyz', 200, 'ok\n'],
    ['/readyz?verbose', 200, '[+]table ok\nok\n'],
    ['/metrics', 200, 'edge_x 1\n'],
    ['/status.json', 200, '{"node":"n1"}\n'],
  ])('%s', async (path, status, body) => {
    const response = await fetch(`${await start()}${path}`);
    expect([response.status, await response.text()]).toEqual([status, body]);
  });

  test('a page of the service answers with JSON, and tells what it throws', async () => {
    const url = await start({
      pages: {
        '/stats': (query) => ({ asked: query.getAll('address') }),
        '/later': () => {
          throw new OperationalError('EDGE_NATTER_STARTING', 'no table yet', { remedy: 'wait' });
        },
      },
    });
    const address = url.replace('http://', '');
    const asked = ['a', 'b'];
    expect(await adminRequest(address, '/stats?address=a&address=b')).toEqual({ asked });
    await expect(adminRequest(address, '/later')).rejects.toMatchObject({
      code: 'EDGE_NATTER_STARTING',
      remedy: 'wait',
    });
    expect((await fetch(`${url}/stats`, { method: 'POST' })).status).toBe(405);
    const nobody = adminRequest('127.0.0.1:1', '/stats');
    await expect(nobody).rejects.toMatchObject({ code: 'EDGE_CONTROL_FAILED' });
  });

  test('readyz lists what is not ready', async () => {
    const checks = () => [{ name: 'table' }, { name: 'store', problem: 'no answer since 3s' }];
    const url = await start({ checks });
    const response = await fetch(`${url}/readyz`);
    expect(response.status).toBe(503);
    expect(await response.text()).toBe('[-]store: no answer since 3s\nnot ready\n');
    expect(await (await fetch(`${url}/readyz?verbose`)).text()).toContain('[+]table ok\n[-]store');
    expect((await fetch(`${url}/livez`)).status).toBe(200);
  });

  test('the status page forbids scripts and takes a bounded refresh', async () => {
    const url = await start();
    const page = await fetch(`${url}/status?refresh=5`);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await page.text()).toContain('content="5"');
    for (const refresh of ['0', '-1', 'x', '1e9', '"><script>']) {
      const other = await fetch(`${url}/status?refresh=${encodeURIComponent(refresh)}`);
      expect(await other.text()).not.toContain('http-equiv');
    }
  });

  test('reads only', async () => {
    const url = await start();
    const response = await fetch(`${url}/status`, { method: 'POST', body: 'x' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
    const head = await fetch(`${url}/livez`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([
      200,
      '3',
      '',
    ]);
  });

  test('what is not there says what is', async () => {
    const response = await fetch(`${await start()}/`);
    expect(response.status).toBe(404);
    expect(await response.text()).toContain('/readyz\n');
  });

  test('a page that fails is a 500 and a log record, and the server goes on', async () => {
    const url = await start({
      statusJson: () => {
        throw new Error('broken');
      },
    });
    expect((await fetch(`${url}/status.json`)).status).toBe(500);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
  });

  test('a head that is too long is refused', async () => {
    const url = new URL(await start());
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(url.port), url.hostname);
      socket.on('data', (data) => resolve(String(data)));
      socket.on('error', reject);
      socket.write(`GET /livez HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 431/);
  });

  test('an address in use is named, with the remedy', async () => {
    const { port } = new URL(await start());
    const listen = { host: '127.0.0.1', port: Number(port) };
    const second = new AdminServer({ listen, source, log: silentLog });
    await expect(second.start()).rejects.toMatchObject({
      code: 'EDGE_ADMIN_LISTEN',
      message: `cannot listen on 127.0.0.1:${port}`,
    });
  });
});
