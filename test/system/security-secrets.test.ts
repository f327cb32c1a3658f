// Secrets stay where they are: every daemon runs with marked ones, and none of the marks is in its
// log at debug level, its pages, --print-config, or ps.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { execute } from '../../lab/exec.ts';
import { until } from '../../lab/ready.ts';
import { adminPage } from '../../shared/admin/client.ts';
import { type SecureRedis, startSecureRedis } from '../support/secure-redis.ts';
import { SERVICES, type Service, type Settings, SiteDaemons } from '../support/site-daemons.ts';
import { needs, program, root } from '../support/skip.ts';

const PORT = 6391;
const TOKEN = 'feedfacecafe'.repeat(4);
const LB_SECRET = 'deadbeefcafe'.repeat(6);
const TSIG = Buffer.from('tsig-mark-'.repeat(4)).toString('base64');
const COOKIE = 'c0ffee'.repeat(5).padEnd(32, '1');

const site = new SiteDaemons();
let redis: SecureRedis;

const isRoot = root().met;
beforeAll(async () => {
  if (!isRoot) return;
  await site.prepare(() => ({ log: { level: 'debug' } }));
  redis = await startSecureRedis(PORT);
  secret('admin.token', TOKEN);
  for (const [service, rig] of site.rigs) {
    const tokenFile = join(redis.directory, 'admin.token');
    const listen = `127.0.0.1:${rig.adminPort}`;
    const common = { store: redis.setting(service), admin: { listen, tokenFile } };
    Object.assign(rig.config, common, own(service));
  }
  await site.start();
});
beforeEach((context) => needs(context, root(), program('redis-server'), program('openssl')));
afterAll(async () => {
  await site.down();
  await redis?.stop();
});

function secret(name: string, text: string): string {
  const file = join(redis.directory, name);
  writeFileSync(file, `${text}\n`, { mode: 0o600 });
  return file;
}

function own(service: Service): Settings {
  switch (service) {
    case 'dns':
      return {
        keys: [{ name: 'transfer.example', secretFile: secret('tsig', TSIG) }],
        cookies: { secretFile: secret('cookies', COOKIE) },
        tls: {
          listen: ['127.0.0.1:8530'],
          certificate: join(redis.directory, 'redis.crt'),
          key: join(redis.directory, 'redis.key'),
        },
      };
    case 'lb':
      return { secretFile: secret('lb.secret', LB_SECRET), keyDirectory: lbKeys() };
    case 'console':
      return {
        adminTokenFile: join(redis.directory, 'admin.token'),
        tokenFile: join(redis.directory, 'admin.token'),
      };
    default:
      return {};
  }
}

function lbKeys(): string {
  const file = join(site.rig('lb').directory, 'web.key');
  writeFileSync(file, readFileSync(join(redis.directory, 'redis.key')), { mode: 0o600 });
  return site.rig('lb').directory;
}

/** As text, in hex and in base64, as far as each may be written so. */
function marks(): [string, string][] {
  const users = readdirSync(redis.directory).filter((name) => name.endsWith('.password'));
  const passwords = users.map((name): [string, string] => [
    name,
    readFileSync(join(redis.directory, name), 'utf8').trim(),
  ]);
  const key = readFileSync(join(redis.directory, 'redis.key'), 'utf8').split('\n')[1] ?? '';
  const plain: [string, string][] = [
    ...passwords,
    ['the admin token', TOKEN],
    ["lb's secret", LB_SECRET],
    ['the TSIG key', TSIG],
    ['the cookie secret', COOKIE],
    ['a private key', key],
  ];
  return plain.flatMap(([what, text]) => [
    [what, text],
    [`${what} in hex`, Buffer.from(text).toString('hex')],
    [`${what} in base64`, Buffer.from(text).toString('base64').replace(/=+$/, '')],
    [`${what} as bytes`, Buffer.from(text, 'hex').toString('base64').replace(/=+$/, '')],
    [`${what} decoded`, Buffer.from(text, 'base64').toString('latin1')],
  ]);
}

function told(text: string): string[] {
  return marks().flatMap(([what, mark]) =>
    mark.length >= 16 && text.includes(mark) ? [what] : [],
  );
}

describe.each(SERVICES)('%s', (service) => {
  test('shows its secrets on no page, and its pages only to who has the token', async () => {
    const address = `127.0.0.1:${site.rig(service).adminPort}`;
    for (const path of ['/status', '/status.json', '/metrics', '/events.json']) {
      await expect(adminPage(address, path)).rejects.toMatchObject({ code: 'EDGE_ADMIN_TOKEN' });
      const wrong = adminPage(address, path, { token: `${TOKEN}x` });
      await expect(wrong).rejects.toMatchObject({ code: 'EDGE_ADMIN_TOKEN' });
      const page = await adminPage(address, path, { token: TOKEN });
      expect(page.length).toBeGreaterThan(20);
      expect([path, told(page)]).toEqual([path, []]);
    }
    expect(told(JSON.stringify(await site.rig(service).control('GET', '/status')))).toEqual([]);
  });

  test('prints settings without them', async () => {
    const { main, configPath } = site.rig(service);
    const args = [main, '--config', configPath, '--print-config'];
    const { stdout } = await execute(process.execPath, args);
    expect(stdout).toContain('passwordFile');
    expect(told(stdout)).toEqual([]);
  });

  test('logs none of them, also when they are wrong, and has none in ps', async () => {
    const rig = site.rig(service);
    writeFileSync(join(redis.directory, 'admin.token'), 'short-mark\n', { mode: 0o600 });
    rig.daemon?.kill('SIGHUP');
    await until('the reload to be refused', () => rig.logText().includes('less than 24'));
    writeFileSync(join(redis.directory, 'admin.token'), `${TOKEN}\n`, { mode: 0o600 });
    expect(rig.logText()).not.toContain('short-mark');
    expect(told(rig.logText())).toEqual([]);
    expect(told(execFileSync('ps', ['-eww', '-o', 'args'], { encoding: 'utf8' }))).toEqual([]);
    const environment = readFileSync(`/proc/${rig.daemon?.pid}/environ`, 'utf8');
    expect(told(environment)).toEqual([]);
  });
});
