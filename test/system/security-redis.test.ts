// Each service with its own user of deploy/redis/users.acl over TLS: all of its work is done, and
// nothing else is allowed.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { execute } from '../../lab/exec.ts';
import { until } from '../../lab/ready.ts';
import { openStore } from '../../shared/store/open.ts';
import { runEdgectl } from '../support/edgectl.ts';
import { type SecureRedis, startSecureRedis } from '../support/secure-redis.ts';
import { SITE, SiteDaemons, WEB_PORT } from '../support/site-daemons.ts';
import { needs, program, root } from '../support/skip.ts';

const PORT = 6390;
const USERS = ['natter', 'natter-nova', 'dhcpd', 'dns', 'lb', 'console', 'edgectl'] as const;
type User = (typeof USERS)[number];

const site = new SiteDaemons();
let redis: SecureRedis;
let admin: Redis;

const isRoot = root().met;
beforeAll(async () => {
  if (!isRoot) return;
  await site.prepare(() => ({}));
  redis = await startSecureRedis(PORT);
  admin = redis.connect('admin');
  for (const [service, rig] of site.rigs) rig.config.store = redis.setting(service);
  await site.start();
});
beforeEach((context) => needs(context, root(), program('redis-server'), program('openssl')));
afterAll(async () => {
  await site.down();
  admin?.disconnect();
  await redis?.stop();
});

/** edgectl with its user, as /etc/edge/edgectl.yaml says it. */
async function edgectl(argv: readonly string[], more: object = {}) {
  const { url, ...credentials } = redis.setting('edgectl');
  const config = join(redis.directory, 'edgectl.yaml');
  writeFileSync(config, JSON.stringify({ store: url, ...credentials, ...more }), { mode: 0o600 });
  const stdin = JSON.stringify(SITE);
  const options = { storeUrl: url, directory: redis.directory, stdin };
  return runEdgectl(['--config', config, ...argv], options);
}

/** What Redis refused: user, what it wanted, in which context. */
async function refused(): Promise<string[]> {
  const entries = (await admin.call('ACL', 'LOG')) as string[][];
  return entries.map((entry) => {
    const field = (name: string) => entry[entry.indexOf(name) + 1] ?? '';
    return `${field('username')} ${field('reason')} ${field('object')} (${field('context')})`;
  });
}

describe('with its user over TLS', () => {
  test('everything works: applied, followed, leased, named, voted, limited, read', async () => {
    await admin.call('ACL', 'LOG', 'RESET');
    const applied = await edgectl(['apply', '-f', '-', '--wait', '30s']);
    expect(applied).toMatchObject({ code: 0, err: '' });

    const udhcpc = ['udhcpc', '-i', 'vm0', '-f', '-n', '-q', '-t', '10', '-x', 'hostname:vm1'];
    await execute('busybox', [...udhcpc, '-s', '/bin/true']);
    const lease = async () => {
      const answer = await site.rig('dhcpd').control('GET', '/leases');
      return (answer as { leases: { state: string }[] }).leases[0]?.state === 'bound';
    };
    await until('the lease', lease);

    const asked = async (name: string) => {
      const at = ['@127.0.0.1', '-p', '5300', '+short', name, 'A'];
      return (await execute('kdig', at, { allowFailure: true })).stdout.trim();
    };
    await until('the lease has its name', async () => (await asked('vm1.vm.example')) !== '');
    await until('the pool is up', async () => (await asked('www.example.com')) === '127.0.0.1');

    const web = async () => {
      const answer = await fetch(`http://127.0.0.1:${WEB_PORT}/`).catch(() => undefined);
      return (await answer?.text()) === 'backend';
    };
    await until('a request gets through', web);
    await until('buckets are shared', async () => (await web()) && (await limits()) > 0);
    await until('votes of both', async () => (await admin.hlen('edge:1:{health}:probers')) === 2);

    expect(await edgectl(['get', 'eips'])).toMatchObject({ code: 0, err: '' });
    expect((await edgectl(['status'])).out).toMatch(/natter +1 +0 +1 running/);
    expect(await edgectl(['delete', 'eip', '198.51.100.7', '--yes'])).toMatchObject({ code: 0 });
    await site.allReady();
    expect(site.ended()).toEqual([]);
    // The page shows less where CONFIG GET is forbidden, which it must find out.
    const allowed = 'console command config|get (toplevel)';
    expect((await refused()).filter((each) => each !== allowed)).toEqual([]);
  });

  async function limits(): Promise<number> {
    return (await admin.keys('edge:1:{lb/limits}:*')).length;
  }
});

const KEYS: Record<string, string> = {
  natter: 'edge:1:{natter}:objects',
  dhcpd: 'edge:1:{dhcpd}:objects',
  dns: 'edge:1:{dns}:objects',
  lb: 'edge:1:{lb}:objects',
  pools: 'edge:1:{pools}:objects',
  leases: 'edge:1:{dhcpd/b/0a0900}:r',
  leaseLog: 'edge:1:{dhcpd/leases}:log',
  names: 'edge:1:{dhcpd/names/vm.example}:a',
  votes: 'edge:1:{health}:votes:lb/lb-1',
  limits: 'edge:1:{lb/limits}:00',
  ...Object.fromEntries(
    ['natter', 'dhcpd', 'dns', 'lb'].map((one) => [`of ${one}`, `edge:1:{members/${one}}:nodes`]),
  ),
  foreign: 'somebody:else',
};

/** Keys by what each user may do there; all others are closed to it. */
const RIGHTS: Record<User, { read: string[]; write: string[] }> = {
  natter: { read: ['natter'], write: ['of natter'] },
  'natter-nova': { read: [], write: ['natter', 'of natter'] },
  dhcpd: { read: ['dhcpd'], write: ['of dhcpd', 'leases', 'leaseLog', 'names'] },
  dns: { read: ['dns', 'pools', 'names'], write: ['of dns', 'votes'] },
  lb: { read: ['lb', 'pools'], write: ['of lb', 'votes', 'limits'] },
  console: {
    read: ['natter', 'dhcpd', 'dns', 'lb', 'pools', ...ofMembers()],
    write: [],
  },
  edgectl: { read: ofMembers(), write: ['natter', 'dhcpd', 'dns', 'lb', 'pools'] },
};

function ofMembers(): string[] {
  return ['of natter', 'of dhcpd', 'of dns', 'of lb'];
}

const FORBIDDEN: string[][] = [
  ['FLUSHALL'],
  ['FLUSHDB'],
  ['KEYS', '*'],
  ['SCAN', '0'],
  ['RANDOMKEY'],
  ['DBSIZE'],
  ['CONFIG', 'SET', 'appendonly', 'no'],
  ['CONFIG', 'REWRITE'],
  ['SCRIPT', 'FLUSH'],
  ['SCRIPT', 'KILL'],
  ['FUNCTION', 'LIST'],
  ['ACL', 'LIST'],
  ['ACL', 'SETUSER', 'default', 'on', 'nopass', '~*', '+@all'],
  ['CLIENT', 'LIST'],
  ['CLIENT', 'KILL', 'TYPE', 'normal'],
  ['CLIENT', 'PAUSE', '1'],
  ['SHUTDOWN'],
  ['LATENCY', 'RESET'],
  ['MODULE', 'LIST'],
  ['MONITOR'],
  ['REPLICAOF', '127.0.0.1', '1'],
  ['PSYNC', '?', '-1'],
  ['SAVE'],
  ['BGREWRITEAOF'],
  ['SLOWLOG', 'GET'],
  ['MIGRATE', '127.0.0.1', '1', 'x', '0', '1'],
  ['SUBSCRIBE', 'x'],
  ['PUBLISH', 'x', 'y'],
  ['SWAPDB', '0', '1'],
  ['SELECT', '1'],
  ['RENAME', 'a', 'b'],
  ['DUMP', 'a'],
  ['RESTORE', 'a', '0', 'x'],
];

describe.each(USERS)('%s', (user) => {
  let own: Redis;
  beforeAll(() => {
    if (isRoot) own = redis.connect(user);
  });
  afterAll(() => own?.disconnect());

  /** The first word of the error; '' when it was allowed. */
  const tried = async (...[command = '', ...args]: string[]): Promise<string> => {
    const said = await own.call(command, ...args).catch((error: Error) => error);
    return said instanceof Error ? (said.message.split(' ')[0] ?? '') : '';
  };

  test('may do nothing that none needs', async () => {
    const said = await Promise.all(FORBIDDEN.map((words) => tried(...words)));
    const allowed = FORBIDDEN.filter((_, at) => said[at] !== 'NOPERM');
    expect(allowed).toEqual([]);
  });

  test('may read and write its own keys, and no others', async () => {
    const { read, write } = RIGHTS[user];
    // By what is allowed or not, not by whether the key has that type.
    const isAllowed = async (...words: string[]) => (await tried(...words)) !== 'NOPERM';
    const keys = Object.entries(KEYS);
    const found = await Promise.all(
      keys.map(async ([name, key]) => [
        name,
        {
          read: await isAllowed('HGET', key, 'none'),
          write: await isAllowed('HDEL', key, 'none'),
          script: await isAllowed('EVAL', "return redis.call('HGET', KEYS[1], 'a')", '1', key),
        },
      ]),
    );
    const right = keys.map(([name]) => {
      const mayWrite = write.includes(name);
      return [name, { read: mayWrite || read.includes(name), write: mayWrite, script: mayWrite }];
    });
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(right));
  });

  test('gets no further by a script that does not name its keys', async () => {
    for (const [name, key] of Object.entries(KEYS)) {
      if (RIGHTS[user].write.includes(name)) continue;
      const hidden = `return redis.call('HSET', '${key}', 'stolen', 'b')`;
      expect(await tried('EVAL', hidden, '0')).toMatch(/^(NOPERM|ERR)$/);
      expect(await admin.hexists(key, 'stolen').catch(() => 0)).toBe(0);
    }
  });
});

describe('what is wrong is told, with the remedy and without the password', () => {
  const cases: [string, () => object, string, RegExp][] = [
    ['another CA', () => ({ tls: { caFile: caFile('another') } }), 'EDGE_STORE_TLS', /caFile/],
    ['another name', () => ({ tls: { caFile: caFile('ca') } }), 'EDGE_STORE_TLS', /serverName/],
    ['no CA', () => ({ tls: {} }), 'EDGE_STORE_TLS', /caFile/],
    ['a wrong password', () => ({ passwordFile: wrong() }), 'EDGE_STORE_DENIED', /passwordFile/],
    ['no user', () => ({ username: 'nobody' }), 'EDGE_STORE_DENIED', /username/],
    [
      'no TLS',
      () => ({ url: `redis://127.0.0.1:${PORT}` }),
      'EDGE_STORE_UNREACHABLE',
      /rediss:\/\//,
    ],
    ['no password', () => ({ passwordFile: '/none' }), 'EDGE_STORE_SECRET', /cannot read/],
  ];
  const caFile = (name: string) => join(redis.directory, `${name}.crt`);
  const wrong = () => {
    const file = join(redis.directory, 'wrong.password');
    writeFileSync(file, `x${redis.password('lb')}\n`);
    return file;
  };

  test.each(cases)('%s', async (_, change, code, remedy) => {
    const store = openStore({ ...redis.setting('lb'), ...change() });
    const error = await store.head('lb').then(
      () => undefined,
      (failure: unknown) => failure,
    );
    await store.close();
    expect(error).toMatchObject({ code });
    expect(`${String(error)} ${(error as { remedy?: string }).remedy}`).toMatch(remedy);
    expect(JSON.stringify(error)).not.toContain(redis.password('lb'));
  });
});
