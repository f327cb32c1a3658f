// A real edge-lb with two workers when what it stands on fails: targets killed, frozen, black-holed
// and back; a worker killed; Redis gone; agents, drains, reloads of settings, keys that are wrong.
// What clients may see is the table of failures in lb/README.md, and no more.
import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { execute } from '../../lab/exec.ts';
import { until } from '../../lab/ready.ts';
import { LbRig } from '../support/lb/lb-rig.ts';
import {
  Asking,
  ask,
  closed,
  curl,
  echoed,
  ownLoopback,
  startTargets,
  type TargetProcess,
  webSocket,
} from '../support/lb/lb-rig-clients.ts';
import { freePorts } from '../support/redis.ts';
import { needs, program, root } from '../support/skip.ts';

const CLIENTS = 8;
const CHECK = { type: 'http', path: '/', interval: '1s', timeout: '500ms', rise: 1, fall: 2 };
const PROXY = { timeouts: { connect: '500ms', head: '1s' }, passive: { failures: 2, eject: '1s' } };

let lb: LbRig;
let targets: TargetProcess[];
let [plain, secure, agentPort] = ['', '', 0];
let site: Record<string, unknown>;

beforeAll(async () => {
  ownLoopback();
  const [plainPort = 0, securePort = 0, port = 0, agent = 0] = await freePorts(4);
  targets = await startTargets(port);
  agentPort = agent;
  lb = await LbRig.prepared();
  const ids = targets.map(({ id }) => id);
  site = {
    certificates: ['a', 'b'].map((name) => ({
      name,
      chain: lb.certificate(name, [`${name}.example`]),
    })),
    listeners: [
      { name: 'web', at: `127.0.0.1:${plainPort}`, protocol: 'http' },
      { name: 'tls', at: `127.0.0.1:${securePort}`, protocol: 'https', certificates: ['a', 'b'] },
    ],
    routes: [
      { name: 'all', pool: 'web', upgrade: true },
      { name: 'late', paths: ['/wait'], pool: 'web', timeouts: { head: '30s' } },
      { name: 'agent', paths: ['/agent'], pool: 'agent' },
    ],
    pools: [
      { name: 'web', targets: ids, check: CHECK, proxy: PROXY },
      {
        name: 'agent',
        targets: ids.slice(0, 1),
        proxy: { agent: { port: agentPort, interval: '1s' } },
      },
    ],
  };
  plain = `http://127.0.0.1:${plainPort}`;
  secure = `https://127.0.0.1:${securePort}`;
  await lb.setSite(site);
  await lb.start();
  await lb.inForce();
});
beforeEach((context) => needs(context, program('redis-server'), program('openssl')));
afterAll(async () => {
  await lb?.down();
  await Promise.all(targets?.map((target) => target.kill()) ?? []);
});

describe('a target', () => {
  let asking: Asking;
  let lines = 0;
  beforeEach(async () => {
    await lb.allUp('web');
    lines = lb.accessLines().length;
    asking = new Asking(`${plain}/bytes/100`, CLIENTS);
    await asking.more(50);
  });
  afterEach(() => asking.stop());

  const second = () => targets[1] as TargetProcess; // of three
  const isDown = () =>
    until(
      'the check has marked it down',
      async () => (await lb.target('web', second().id))?.health === 'down',
    );
  /** All went to this one target, and a request each at most that was open then, or tried it. */
  const onlyThere = (most: number) => {
    const failed = lb.accessLines().slice(lines);
    const bad = failed.filter(({ status }) => status !== 200 && status !== 101);
    expect(new Set(bad.map(({ backend }) => backend)).size).toBeLessThan(2);
    for (const { backend } of bad) expect(backend).toBe(second().id);
    expect(asking.failures.length, asking.failures.join()).toBeLessThanOrEqual(most);
  };
  const isBack = async () => {
    await lb.allUp('web');
    const before = (await lb.target('web', second().id))?.requests ?? 0;
    await until('it is asked again', async () => {
      return ((await lb.target('web', second().id))?.requests ?? 0) > before;
    });
  };

  test('is killed: what was open there may fail, nothing else; and it comes back', async () => {
    await second().kill();
    await isDown();
    const failures = asking.failures.length;
    await asking.more(100);
    expect(asking.failures.length).toBe(failures);
    onlyThere(CLIENTS);
    await second().start();
    await isBack();
  });

  test('is frozen: requests wait there until their timeout, until it is found out', async () => {
    second().freeze();
    await isDown();
    // Each client may have one there when it is ejected, and one that tried it again.
    const found = asking.failures.length;
    await asking.more(100);
    onlyThere(3 * CLIENTS);
    expect(asking.failures.length - found).toBeLessThanOrEqual(CLIENTS);
    expect(new Set(asking.failures)).toEqual(new Set(found > 0 ? ['504'] : []));
    second().thaw();
    await isBack();
  });

  test('is black-holed: new connections go to others, open ones time out', async (context) => {
    needs(context, root(), program('nft'));
    const { host } = second();
    const rule = (to: string) => `add rule inet hole ${to} ip daddr ${host} drop`;
    const chain = 'add chain inet hole out { type filter hook output priority 0; }';
    await execute('nft', ['-f', '-'], {
      input: `add table inet hole\n${chain}\n${rule('out')}\n`,
    });
    await isDown();
    const failures = asking.failures.length;
    await asking.more(100);
    expect(asking.failures.length - failures).toBeLessThanOrEqual(CLIENTS);
    onlyThere(3 * CLIENTS);
    await execute('nft', ['delete', 'table', 'inet', 'hole']);
    await isBack();
  });

  test('is drained by an operator: nothing new comes, what is open goes on', async () => {
    const sockets = await Promise.all(
      Array.from({ length: 6 }, () => webSocket(`${plain.replace('http', 'ws')}/live`)),
    );
    const id = second().id;
    const said = { address: second().host, state: 'drain', who: 'test', why: 'a test' };
    await lb.serve({ ...site, overrides: [said] });
    await until('it is drained', async () => (await lb.target('web', id))?.health === 'drain');
    expect((await lb.target('web', id))?.why).toContain('drain by test: a test');
    const answers = asking.answers.length + CLIENTS; // what was open comes there
    await asking.more(CLIENTS);
    await asking.more(60);
    expect(asking.answers.slice(answers).map(({ target }) => target)).not.toContain('t2');
    for (const socket of sockets) expect(`${(await echoed(socket, 'on')).data}`).toBe('on');
    for (const socket of sockets) socket.terminate();
    await lb.serve(site);
    await isBack();
    onlyThere(0);
  });
});

test('all targets are gone: 503 at once, and as before when they are back', async () => {
  await Promise.all(targets.map((target) => target.kill()));
  const { status } = await ask(`${plain}/none`);
  expect(status).toBe(503);
  expect((await lb.accessLine('/none')).cause).toMatch(/connect-failed|no-target/);
  await Promise.all(targets.map((target) => target.start()));
  await lb.allUp('web');
  expect((await ask(`${plain}/some`)).status).toBe(200);
});

test('a worker is killed: the other serves, and it comes again', async () => {
  const sockets = await Promise.all(
    Array.from({ length: 16 }, () => webSocket(`${plain.replace('http', 'ws')}/live`)),
  );
  const lost = sockets.map((socket) => closed(socket).then(() => socket));
  const { workers } = await lb.status();
  const [{ pid = 0 } = {}, other] = workers;
  process.kill(pid ?? 0, 'SIGKILL');
  await Promise.race(lost);
  const restarted = await until('it is there again', async () => {
    const { workers: now } = await lb.status();
    const isBack = now.every(({ pid: each, version }) => each !== null && version !== null);
    return isBack && now[0]?.pid !== pid ? now : undefined;
  });
  expect(restarted[0]?.restarts).toBe(1);
  expect(restarted[1]?.pid).toBe(other?.pid);
  expect(await lb.metric('edge_lb_worker_restarts_total')).toBe(1);
  const left = sockets.filter(({ readyState }) => readyState === 1);
  expect(left.length).toBeGreaterThan(0);
  for (const socket of left) expect(`${(await echoed(socket, 'on')).data}`).toBe('on');
  for (const socket of left) socket.terminate();
  const asked = Array.from({ length: 40 }, () => ask(`${plain}/bytes/1`));
  expect((await Promise.all(asked)).every(({ status }) => status === 200)).toBe(true);
});

describe('Redis', () => {
  test('is frozen and back: nobody sees it', async () => {
    const asking = new Asking(`${plain}/bytes/100`, 2);
    lb.redis.freeze();
    await until('the daemon notices', async () => !(await lb.status()).units.lb.storeUp, {
      timeoutMs: 30_000,
    });
    await asking.more(100);
    expect(await lb.readyz()).toBe(200);
    lb.redis.thaw();
    await until('the daemon notices', async () => (await lb.status()).units.lb.storeUp);
    const page = { name: 'page', paths: ['/page2'], respond: { status: 200, body: 'new' } };
    await lb.serve({ ...site, routes: [...(site.routes as unknown[]), page] });
    expect((await ask(`${plain}/page2`)).body).toBe('new');
    await asking.stop();
    expect(asking.failures).toEqual([]);
    await lb.serve(site);
  });

  test('is frozen at the start: the last plan and health are on disk', async () => {
    lb.redis.freeze();
    await lb.end('SIGKILL');
    await lb.start();
    expect((await ask(`${plain}/bytes/1`)).status).toBe(200);
    expect((await lb.status()).units.lb.source).toBe('disk');
    lb.redis.thaw();
    await until('the daemon notices', async () => (await lb.status()).units.lb.storeUp);
  });
});

test('an agent says the weight, drain, down and up of its target', async () => {
  let word = '50%';
  const agent: Server = createServer((socket) => socket.end(`${word}\n`));
  agent.listen(agentPort, targets[0]?.host);
  await once(agent, 'listening');
  const id = targets[0]?.id ?? '';
  const row = async () => {
    const { health, weightNow } = (await lb.target('agent', id)) ?? {};
    return `${health} ${weightNow}`;
  };
  for (const [said, wanted] of [
    ['50%', 'up 0.5'],
    ['drain', 'drain 0.5'],
    ['ready', 'up 0.5'],
    ['down#maintenance', 'down 0.5'],
    ['up 100%', 'up 1'],
  ] as const) {
    word = said;
    await until(`${said} is heard`, async () => (await row()) === wanted).catch(async (error) => {
      throw new Error(`${(error as Error).message}, but ${await row()}`);
    });
  }
  agent.close();
});

describe('SIGHUP', () => {
  test('opens the access log anew', async () => {
    await ask(`${plain}/before`);
    await lb.accessLine('/before');
    renameSync(lb.accessLog, `${lb.accessLog}.1`);
    expect(await lb.reload()).toBe(true);
    await ask(`${plain}/after`);
    await lb.accessLine('/after');
    expect(readFileSync(lb.accessLog, 'utf8')).not.toContain('/before');
    expect(existsSync(`${lb.accessLog}.1`)).toBe(true);
  });

  test('takes what a reload may change, and refuses the rest whole', async () => {
    const { config } = lb;
    lb.config = { ...config, workers: 3 };
    expect(await lb.reload()).toBe(false);
    lb.config = { ...config, drain: { delay: 'soon' } };
    expect(await lb.reload()).toBe(false);
    expect((await ask(`${plain}/bytes/1`)).status).toBe(200);
    lb.config = { ...config, limits: { keepAlive: '2s' } };
    expect(await lb.reload()).toBe(true);
    const agent = new Agent({ keepAlive: true });
    await ask(`${plain}/bytes/1`, { agent });
    const [socket] = Object.values(agent.freeSockets).flat();
    if (socket !== undefined) await once(socket, 'close'); // as told now
    lb.config = config;
    expect(await lb.reload()).toBe(true);
  });

  test('a key that is wrong: other certificates go on, and it is said', async () => {
    const file = join(lb.keyDirectory, 'b.key');
    const key = readFileSync(file, 'utf8');
    writeFileSync(file, 'no key');
    expect(await lb.reload()).toBe(true);
    await until('it is said', async () => {
      return (await lb.status()).drift.some((text) => text.startsWith('certificate b: '));
    });
    expect(lb.logText()).toContain('certificate-unusable');
    expect(lb.logText()).not.toContain('no key\n');
    const shown = (name: string) => {
      const at = new URL(secure);
      const to = `${name}:${at.port}:127.0.0.1`;
      return curl(
        '--cacert',
        join(lb.keyDirectory, 'a.pem'),
        '--no-insecure',
        '--resolve',
        to,
        `https://${name}:${at.port}/bytes/1`,
      );
    };
    expect((await shown('a.example')).code).toBe(0);
    expect((await shown('b.example')).code).not.toBe(0);
    writeFileSync(file, key);
    await until('it is well again by itself', async () => (await lb.status()).drift.length === 0);
  });
});

test('a drain: readiness first, then what is open, politely and one after the other', async () => {
  lb.config = { ...lb.config, drain: { delay: '4s', timeout: '7s' } };
  expect(await lb.reload()).toBe(true);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  await ask(`${plain}/bytes/1`, { agent });
  const sockets = await Promise.all(
    Array.from({ length: 8 }, () => webSocket(`${plain.replace('http', 'ws')}/live`)),
  );
  const order: number[] = [];
  const ends = sockets.map((socket) =>
    closed(socket).then(() => {
      order.push(performance.now());
    }),
  );
  const waiting = ask(`${plain}/wait/6000`); // longer than the delay
  await lb.control('POST', '/drain');
  await until('it is not ready', async () => (await lb.readyz()) === 503);
  const during = await ask(`${plain}/bytes/1`, { agent });
  expect(during.status).toBe(200);
  expect(sockets.every(({ readyState }) => readyState === 1)).toBe(true);
  expect((await waiting).status).toBe(200);
  expect((await waiting).headers.connection).toBe('close');
  await Promise.all(ends);
  expect(new Set(order.map((at) => Math.round(at / 100))).size).toBeGreaterThan(2);
  await expect(ask(`${plain}/bytes/1`)).rejects.toThrow(/ECONNREFUSED/);
  await until('it is drained', async () => (await lb.status()).state === 'drained');
  await lb.control('POST', '/undrain');
  await until('it is ready', async () => (await lb.readyz()) === 200);
  await until('it listens', async () => (await ask(`${plain}/bytes/1`)).status === 200);
  const drained = lb.accessLines().filter(({ cause }) => cause === 'drained');
  expect(drained.length).toBe(sockets.length);
});
