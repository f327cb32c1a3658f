// Two real edge-lbs on one Redis, at their edges: PROXY headers, client certificates, TLS tickets,
// rate limits, and what the access log says of each way in which a request can end.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { execute } from '../../lab/exec.ts';
import { until } from '../../lab/ready.ts';
import { ScriptedTarget } from '../support/lb/http/target.ts';
import { Wire } from '../support/lb/http/wire.ts';
import { LbRig } from '../support/lb/lb-rig.ts';
import {
  ask,
  ownLoopback,
  startTargets,
  type TargetProcess,
} from '../support/lb/lb-rig-clients.ts';
import { freePorts } from '../support/redis.ts';
import { needs, program } from '../support/skip.ts';

const BURST = 10;

let lb: LbRig;
let second: LbRig | undefined;
let targets: TargetProcess[];
let behind: ScriptedTarget;
let ports: Record<'web' | 'proxied' | 'empty' | 'tls' | 'mutual' | 'raw' | 'dead', number>;
const at = (name: keyof typeof ports, path = '') => `http://127.0.0.1:${ports[name]}${path}`;

function sections() {
  const ids = targets.map(({ id }) => id);
  const listen = (name: keyof typeof ports) => `127.0.0.1:${ports[name]}`;
  const scripted = [`127.0.0.1:${behind.port}`];
  const limit = (shared: boolean) => ({
    rate: '1/m',
    burst: BURST,
    by: { header: 'x-key' },
    shared,
  });
  const tls = { protocol: 'https', certificates: ['server'] };
  return {
    certificates: [{ name: 'server', chain: lb.certificate('server', ['127.0.0.1']) }],
    listeners: [
      { name: 'web', at: listen('web'), protocol: 'http' },
      { name: 'proxied', at: listen('proxied'), protocol: 'http', proxyFrom: ['127.0.0.0/8'] },
      { name: 'empty', at: listen('empty'), protocol: 'http' },
      { name: 'tls', at: listen('tls'), ...tls },
      { name: 'mutual', at: listen('mutual'), ...tls, clientCa: lb.certificate('ca', ['ca']) },
      { name: 'raw', at: listen('raw'), protocol: 'tcp', pool: 'v2' },
    ],
    routes: [
      {
        name: 'all',
        listeners: ['web', 'proxied', 'tls', 'mutual'],
        pool: 'web',
        timeouts: { head: '1s' },
      },
      { name: 'v1', paths: ['/v1'], pool: 'v1' },
      { name: 'own', paths: ['/own'], pool: 'web', rateLimit: limit(false) },
      { name: 'shared', paths: ['/shared'], pool: 'web', rateLimit: limit(true) },
      { name: 'dead', paths: ['/dead'], pool: 'dead' },
      { name: 'denied', paths: ['/denied'], pool: 'web', deny: ['127.0.0.0/8'] },
      { name: 'small', paths: ['/small'], pool: 'web', maxBody: '1kb' },
      { name: 'page', paths: ['/page'], respond: { status: 200, body: 'a page' } },
      { name: 'away', paths: ['/away'], redirect: { to: 'https://b.example{path}' } },
    ],
    pools: [
      { name: 'web', targets: ids },
      { name: 'v1', targets: scripted, proxy: { sendProxy: 1 } },
      { name: 'v2', targets: scripted, proxy: { sendProxy: 2 } },
      { name: 'dead', targets: [`127.0.0.1:${ports.dead}`], proxy: { retries: { count: 0 } } },
    ],
  };
}

beforeAll(async () => {
  ownLoopback();
  const [web = 0, proxied = 0, empty = 0, tls = 0, mutual = 0, raw = 0, dead = 0, target = 0] =
    await freePorts(8);
  ports = { web, proxied, empty, tls, mutual, raw, dead };
  targets = await startTargets(target);
  behind = await ScriptedTarget.open();
  lb = await LbRig.prepared({ node: 'one' });
  await lb.setSite(sections());
  await lb.start();
  await lb.inForce();
});
beforeEach((context) => needs(context, program('redis-server'), program('openssl')));
afterAll(async () => {
  await second?.down();
  await lb?.down();
  behind?.close();
  await Promise.all(targets?.map((each) => each.kill()) ?? []);
});

describe('PROXY headers', () => {
  const version2 = (command: number) =>
    Buffer.concat([
      Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'),
      Buffer.from([0x20 | command, 0x11, 0, 12]),
      Buffer.from([192, 0, 2, 7, 198, 51, 100, 1, 0x12, 0x34, 0, 80]),
    ]);

  test.each([
    ['version 1', Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 4660 80\r\n'), '192.0.2.7'],
    [
      'version 1, of IPv6',
      Buffer.from('PROXY TCP6 2001:db8::7 2001:db8::1 4660 80\r\n'),
      '2001:db8::7',
    ],
    ['version 1, unknown', Buffer.from('PROXY UNKNOWN\r\n'), '127.0.0.1'],
    ['version 2', version2(1), '192.0.2.7'],
    ['version 2, local', version2(0), '127.0.0.1'],
  ])('come in: %s', async (_, header, client) => {
    const wire = await Wire.connect(ports.proxied);
    wire.send(header);
    wire.send('GET /who HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n');
    const { body } = await wire.message();
    const { headers } = JSON.parse(body) as { headers: Record<string, string> };
    expect(headers['x-forwarded-for']).toBe(client);
  });

  test.each([
    ['none', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['half of one', 'PROXY TCP4 192.0.2.7 198.5'],
    ['a bad one', 'PROXY TCP4 192.0.2.777 198.51.100.1 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('must come in, whole: %s', async (_, bytes) => {
    const wire = await Wire.connect(ports.proxied);
    wire.send(bytes);
    wire.end();
    expect((await wire.gone()).received).toBe('');
  });

  test('of curl', async () => {
    const { stdout } = await execute('curl', ['-sS', '--haproxy-protocol', at('proxied', '/')]);
    expect(stdout).toContain('"x-forwarded-for":"127.0.0.1"');
  });

  test('go out: version 1, to a target of requests', async () => {
    const asked = ask(at('web', '/v1'));
    const wire = await behind.next();
    expect(await wire.to('\r\n')).toMatch(/^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n$/);
    expect(await wire.head()).toMatch(/^GET \/v1 HTTP\/1\.1/);
    wire.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect((await asked).body).toBe('ok');
  });

  test('go out: version 2, to a target of streams', async () => {
    const client = await Wire.connect(ports.raw);
    client.send('hello');
    const wire = await behind.next();
    const header = Buffer.from(await wire.bytes(28), 'latin1');
    expect(header.subarray(0, 16).toString('hex')).toBe('0d0a0d0a000d0a515549540a2111000c');
    expect([...header.subarray(16, 24)]).toEqual([127, 0, 0, 1, 127, 0, 0, 1]);
    expect(header.readUInt16BE(26)).toBe(ports.raw);
    expect(await wire.bytes(5)).toBe('hello');
    wire.send('and back');
    wire.end();
    expect(await client.ended()).toBe('and back');
    client.end();
    expect(await wire.ended()).toBe('');
  });
});

describe('TLS', () => {
  test('a client certificate that the CA signed is let in, and logged; no other', async () => {
    lb.certificate('known', ['known'], 'ca');
    lb.certificate('stranger', ['stranger']);
    const pair = (name: string) => ({
      cert: readFileSync(join(lb.keyDirectory, `${name}.pem`)),
      key: readFileSync(join(lb.keyDirectory, `${name}.key`)),
    });
    const url = `https://127.0.0.1:${ports.mutual}/mutual`;
    expect((await ask(url, pair('known'))).status).toBe(200);
    const { certificate } = await lb.accessLine('/mutual');
    const shown = execFileSync(
      'openssl',
      ['x509', '-in', join(lb.keyDirectory, 'known.pem'), '-noout', '-fingerprint', '-sha256'],
      { encoding: 'utf8' },
    );
    const plain = (text = '') => text.replace(/^.*=/, '').replaceAll(':', '').trim().toLowerCase();
    expect(plain(certificate)).toBe(plain(shown));
    await expect(ask(url, pair('stranger'))).rejects.toThrow();
    await expect(ask(url)).rejects.toThrow();
  });

  test('a ticket of one worker resumes at all', async () => {
    const session = await ticket();
    const resumed = await Promise.all(Array.from({ length: 12 }, () => resumes(session)));
    expect(resumed).not.toContain(false);
  });
});

async function ticket(): Promise<Buffer> {
  const socket = connect({ port: ports.tls, rejectUnauthorized: false });
  const told = once(socket, 'session');
  socket.write('GET /page HTTP/1.1\r\nHost: a\r\n\r\n');
  const [session] = (await told) as [Buffer];
  socket.destroy();
  return session;
}

async function resumes(session: Buffer): Promise<boolean> {
  const socket = connect({ port: ports.tls, rejectUnauthorized: false, session });
  await once(socket, 'secureConnect');
  const isReused = socket.isSessionReused();
  socket.destroy();
  return isReused;
}

async function statuses(path: string, key: string, count: number): Promise<number[]> {
  const all: number[] = [];
  for (let at = 0; at < count; at++) all.push((await limited(path, key)).status);
  return all;
}

const limited = (path: string, key: string) => ask(at('web', path), { headers: { 'x-key': key } });

describe('a rate limit of one instance', () => {
  test('is kept over its workers, by key', async () => {
    const asked = await statuses('/own', 'a', 40);
    const allowed = asked.filter((status) => status === 200).length;
    expect(allowed).toBeGreaterThanOrEqual(BURST);
    expect(allowed).toBeLessThanOrEqual(2 * BURST); // of two workers, a burst each
    await until('both workers know', async () => {
      return (await statuses('/own', 'a', 12)).every((status) => status === 429);
    });
    const { headers } = await limited('/own', 'a');
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    expect((await limited('/own', 'b')).status).toBe(200);
  });
});

describe('the access log', () => {
  const raw = async (bytes: string) => {
    const wire = await Wire.connect(ports.web);
    wire.send(bytes);
    return wire;
  };

  test.each([
    ['/bytes/5', 200, 'ok', { bytesOut: 5, pool: 'web', tries: 1, method: 'GET', route: 'all' }],
    ['/page/x', 200, 'answered', { route: 'page', bytesOut: 6 }],
    ['/away/x', 308, 'answered', { route: 'away' }],
    ['/denied/x', 403, 'denied', { route: 'denied' }],
    ['/dead/x', 503, 'connect-failed', { route: 'dead', tries: 1 }],
    ['/reset/x', 502, 'upstream-reset', { route: 'all' }],
    ['/bad/x', 502, 'bad-response', { route: 'all' }],
    ['/never/x', 504, 'upstream-timeout', { route: 'all' }],
  ] as const)('%s: %i, %s', async (path, status, cause, more) => {
    expect((await ask(at('web', path))).status).toBe(status);
    const line = await lb.accessLine(path);
    const client = { client: '127.0.0.1', listener: 'web', protocol: 'HTTP/1.1', scheme: 'http' };
    expect(line).toMatchObject({ status, cause, ...client, ...more });
    expect(line.totalMs).toBeGreaterThan(0);
  });

  test('a response that is cut', async () => {
    await expect(ask(at('web', '/cut/x'))).rejects.toThrow();
    expect(await lb.accessLine('/cut/x')).toMatchObject({ status: 200, cause: 'upstream-reset' });
  });

  test('no route', async () => {
    expect((await ask(at('empty', '/no-route'))).status).toBe(404);
    expect(await lb.accessLine('/no-route')).toMatchObject({ cause: 'no-route', route: '' });
  });

  test('a body that is too large', async () => {
    const { status } = await ask(at('web', '/small/x'), { method: 'PUT', body: 'x'.repeat(2000) });
    expect(status).toBe(413);
    expect(await lb.accessLine('/small/x')).toMatchObject({ cause: 'too-large', route: 'small' });
  });

  test('a request that is none', async () => {
    const wire = await raw('GET /none HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n');
    expect(await wire.head()).toMatch(/^HTTP\/1\.1 400 /);
    const line = await until('it is logged', () =>
      lb.accessLines().find(({ cause }) => cause === 'bad-request'),
    );
    expect(line).toMatchObject({ status: 400, listener: 'web' });
    expect(line.detail).not.toBe('');
  });

  test('a client that goes', async () => {
    const wire = await raw('GET /never/gone HTTP/1.1\r\nHost: a\r\n\r\n');
    wire.reset();
    expect(await lb.accessLine('/never/gone')).toMatchObject({ cause: 'client-gone' });
  });

  test('a stream', async () => {
    const line = await until('it is logged', () =>
      lb.accessLines().find(({ protocol }) => protocol === 'tcp'),
    );
    expect(line).toMatchObject({
      listener: 'raw',
      cause: 'ok',
      bytesIn: 5,
      bytesOut: 8,
      pool: 'v2',
    });
  });
});

/** They listen at the same ports: the kernel spreads connections over the workers of both. */
describe('two instances', () => {
  let both: LbRig[];
  beforeAll(async () => {
    second ??= await LbRig.up({ node: 'two', beside: lb });
    both = [lb, second];
  });

  test('take each other’s tickets', async () => {
    const session = await ticket();
    const accepted = async () => {
      const all = await Promise.all(both.map((each) => each.status()));
      return all.map(
        ({ listeners }) => listeners.find(({ listener }) => listener === 'tls')?.accepted,
      );
    };
    const before = await accepted();
    for (let at = 0; at < 24; at++) expect(await resumes(session)).toBe(true);
    await until('both had some', async () => {
      return (await accepted()).every((count, at) => (count ?? 0) > (before[at] ?? 0));
    });
  });

  test('count a shared rate limit together', async () => {
    const told = () =>
      both.flatMap((each) => each.accessLines().filter(({ route }) => route === 'shared'));
    const asked: number[] = [];
    for (let at = 1; at <= 2 * BURST; at++) {
      asked.push((await limited('/shared', 'c')).status);
      await until('it is logged, and told to Redis before', () => told().length === at);
    }
    // Alone each would have let nearly all pass that came there. Each hears of others as it spends.
    const allowed = asked.filter((status) => status === 200).length;
    expect(allowed).toBeGreaterThanOrEqual(BURST);
    expect(allowed).toBeLessThanOrEqual(BURST + 4);
    for (const each of both) {
      const ofOne = each
        .accessLines()
        .filter(({ route, status }) => route === 'shared' && status === 200);
      expect(ofOne.length).toBeGreaterThan(0);
      expect(ofOne.length).toBeLessThan(allowed);
    }
    await until('all workers know', async () => {
      return (await statuses('/shared', 'c', 12)).every((status) => status === 429);
    });
    expect((await limited('/shared', 'd')).status).toBe(200);
  });

  test('count alone while Redis is away', async () => {
    const areAlone = async (count: number) => {
      await statuses('/shared', `${performance.now()}`, 6);
      const told = await Promise.all(both.map((each) => each.metric('edge_lb_limits_alone')));
      return told.every((each) => each === count);
    };
    lb.redis.freeze();
    await until('both are alone', () => areAlone(1), { timeoutMs: 30_000 });
    expect((await limited('/shared', 'e')).status).toBe(200);
    lb.redis.thaw();
    await until('none is alone', () => areAlone(0), { timeoutMs: 30_000 });
  });
});
