// The service over a store in memory: what is wanted is answered, wholly, and explained.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { explainName } from '../../../dns/admin/explain-name.ts';
import { zoneRows } from '../../../dns/admin/zone-pages.ts';
import { OutsideAliases } from '../../../dns/aliases/outside.ts';
import type { Resolved } from '../../../dns/aliases/resolvers.ts';
import { parseDnsConfig } from '../../../dns/config.ts';
import { DnsService } from '../../../dns/service.ts';
import { answerSettings } from '../../../dns/settings.ts';
import { Builder } from '../../../dns/zones/builder.ts';
import { until } from '../../../lab/ready.ts';
import { systemClock } from '../../../shared/clock.ts';
import { displayName } from '../../../shared/dns/names.ts';
import type { Name } from '../../../shared/dns/types.ts';
import type { Health } from '../../../shared/health/health.ts';
import type { TargetHealth } from '../../../shared/health/types.ts';
import { silentLog } from '../../../shared/log.ts';
import { seededRandom } from '../../../shared/random.ts';
import { readSite } from '../../../shared/site/file.ts';
import { formatObject } from '../../../shared/site/kinds.ts';
import { placeOf } from '../../../shared/site/place.ts';
import { createMemoryStore } from '../../../shared/store/memory.ts';

const SITE = {
  zones: [{ zone: 'example.com', soa: { primary: 'ns1.example.com', mail: 'h.example.com' } }],
  records: [
    { name: 'example.com', type: 'NS', data: ['ns1.example.com'] },
    { name: 'ns1.example.com', type: 'A', data: ['192.0.2.53'] },
    {
      name: 'www.example.com',
      type: 'A',
      ttl: '60s',
      lines: { telecom: { pool: 't' }, default: { data: ['203.0.113.1'] } },
    },
  ],
  lines: [{ name: 'telecom', prefixes: ['59.43.0.0/16'] }],
  pools: [
    {
      name: 't',
      targets: [{ address: '198.51.100.1' }],
      check: { type: 'tcp', port: 80, interval: '5s', timeout: '1s', rise: 2, fall: 3 },
    },
  ],
};

const UP: TargetHealth = {
  measured: 'up',
  effective: 'up',
  toFlipMs: 15_000,
  sinceMs: 0,
  votes: [],
};
const DOWN: TargetHealth = { ...UP, measured: 'down', effective: 'down' };

class FakeHealth {
  down = false;
  readonly #listeners: (() => void)[] = [];
  readonly view = { ofAddress: () => (this.down ? DOWN : UP) };
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }
  flip(down: boolean): void {
    this.down = down;
    for (const listener of this.#listeners) listener();
  }
  setTargets(): void {}
  setOverrides(): void {}
  async start(): Promise<void> {}
  async stop(): Promise<void> {}
}

let directory: string;
let elsewhere: (target: Name, type: number) => Promise<Resolved>;
let dns: DnsService;
let health: FakeHealth;
let store: ReturnType<typeof createMemoryStore>;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'edge-dns-'));
  store = createMemoryStore({ clock: systemClock });
  health = new FakeHealth();
  elsewhere = async () => {
    throw new Error('nobody is there');
  };
  const text = JSON.stringify({
    stateDirectory: directory,
    zoneDirectory: directory,
    resolvers: ['192.0.2.53:53'],
  });
  const config = parseDnsConfig('dns.yaml', 'dns-1', text);
  dns = new DnsService({
    config,
    version: '0',
    store,
    health: health as unknown as Health,
    canary: { run: async () => undefined } as never,
    builders: { zones: new Builder(systemClock), lines: new Builder(systemClock) },
    adopt: () => {},
    transports: [],
    settingsOf: (of) => answerSettings(of, new Uint8Array(16)),
    transfers: () =>
      ({ changed() {}, inForce() {}, want() {}, async stop() {}, reload() {} }) as never,
    aliases: (options) =>
      new OutsideAliases({
        ...options,
        resolvers: config.resolvers,
        ask: (_, target, type) => elsewhere(target, type),
        clock: systemClock,
        random: seededRandom(2),
        log: silentLog,
      }),
    leaseNames: () => ({ start: async () => {} }) as never,
    snapshotPaths: { own: join(directory, 'dns.snap'), pools: join(directory, 'pools.snap') },
    clock: systemClock,
    random: seededRandom(1),
    log: silentLog,
    fail: (error) => {
      throw error;
    },
  });
});
afterEach(async () => {
  await dns.stop();
  rmSync(directory, { recursive: true });
});

async function apply(site: object): Promise<void> {
  const { objects } = readSite([{ file: 'site.yaml', text: JSON.stringify(site) }]);
  for (const unit of ['pools', 'dns'] as const) {
    const records = objects.map(({ item }) => formatObject(item));
    const own = records.filter(({ kind, id }) => placeOf(kind, id).unit === unit);
    if (own.length > 0) await store.apply(unit, own);
  }
}

type Explained = { verdict: string; line: string | null; answers: string[]; steps: string[] };
const explain = (name: string, from: string, type = 'A') =>
  explainName(dns, { name, type, from }) as Explained;
const start = () => dns.start(new AbortController().signal);

describe('DnsService', () => {
  test('site objects are answered by line, and say why', async () => {
    await apply(SITE);
    await start();
    const telecom = explain('www.example.com', '59.43.1.1');
    expect(telecom.answers).toEqual(['www.example.com 15 A 198.51.100.1']);
    expect(telecom.line).toBe('telecom');
    expect(telecom.steps.join('\n')).toMatch(/59\.43\.0\.0\/16 of line telecom/);
    expect(telecom.steps.join('\n')).toMatch(/TTL 15 s: 198\.51\.100\.1 can change within 15 s/);
    const other = explain('www.example.com', '8.8.8.8');
    expect(other.answers).toEqual(['www.example.com 60 A 203.0.113.1']);
    expect(explain('none.example.com', '8.8.8.8').verdict).toBe('nxdomain');
    expect(dns.presence.state).toBe('running');
    expect(dns.applied).toEqual({ dns: 1, pools: 1 });
  });

  test('a flip of health changes the answer', async () => {
    const site = structuredClone(SITE);
    Object.assign(site.records[2] as object, { allDown: 'default' });
    await apply(site);
    await start();
    health.flip(true);
    await until('the default line serves', async () => {
      return explain('www.example.com', '59.43.1.1').answers[0]?.includes('203.0.113.1') ?? false;
    });
    health.flip(false);
    await until('its own again', async () => {
      return explain('www.example.com', '59.43.1.1').answers[0]?.includes('198.51.100.1') ?? false;
    });
  });

  test('what changes in the store is served, and told as applied', async () => {
    await apply(SITE);
    await start();
    await apply({ records: [{ name: 'new.example.com', type: 'TXT', data: ['"hello"'] }] });
    await until('it is applied', async () => dns.applied.dns === 2);
    const { answers } = explain('new.example.com', '8.8.8.8', 'TXT');
    expect(answers).toEqual(['new.example.com 300 TXT "hello"']);
    expect(zoneRows(dns)).toMatchObject([{ zone: 'example.com', serial: 2 }]);
  });

  test('an ALIAS has the addresses that a resolver says, and says whose word it is', async () => {
    const asked = new Set<string>();
    elsewhere = async (target, type) => {
      asked.add(`${displayName(target)} ${type}`);
      const addresses = type === 1 ? [Uint8Array.of(198, 51, 100, 9)] : [];
      return { addresses, ttlSeconds: 100, from: '192.0.2.53:53' };
    };
    const site = structuredClone(SITE);
    const records = [
      { name: 'example.com', type: 'ALIAS', data: ['away.example.com'] },
      { name: 'away.example.com', type: 'CNAME', data: ['CDN.example.net'] },
      { name: 'geo.example.com', type: 'ALIAS', lines: { default: { data: ['one.example.net'] } } },
    ];
    await apply({ ...site, records: [...site.records, ...records] });
    await start();
    const answer = (name: string) => explain(name, '8.8.8.8').answers[0];
    await until('it is known', async () => answer('example.com') !== undefined);
    expect(answer('example.com')).toMatch(/^example\.com (100|99|98) A 198\.51\.100\.9$/);
    const steps = explain('example.com', '8.8.8.8').steps.join('\n');
    expect(steps).toContain('cdn.example.net A is in no zone here: 192.0.2.53:53 said its addr');
    expect(steps).toMatch(/ \d s ago, for 100 s$/);
    expect(explain('example.com', '8.8.8.8', 'AAAA').verdict).toBe('no-data');
    expect(answer('geo.example.com')).toMatch(/ A 198\.51\.100\.9$/);
    expect([...asked].sort()).toEqual([
      'cdn.example.net 1',
      'cdn.example.net 28',
      'one.example.net 1',
      'one.example.net 28',
    ]);
  });

  test('what is stored in steps is served whole', async () => {
    await start();
    const names = Array.from({ length: 1000 - 3 }, (_, index) => `h${index}.example.com`);
    const hosts = names.map((name) => ({ name, type: 'A', data: ['192.0.2.9'] }));
    const { pools, lines, zones, records } = SITE;
    await apply({ pools, lines });
    await until('the line is known', async () => dns.applied.dns === 1);
    const [ns, address, www] = records;
    await apply({ zones, records: [ns, address, ...hosts] });
    await until('the first step is there', async () => dns.follower.own.status().version === 2);
    expect(dns.zones.served.size).toBe(0);
    await apply({ records: [www] });
    await until('it is applied', async () => dns.applied.dns === 3);
    expect(zoneRows(dns)).toMatchObject([{ zone: 'example.com', serial: 3 }]);
    const last = explain('h996.example.com', '8.8.8.8');
    expect(last.answers).toEqual(['h996.example.com 300 A 192.0.2.9']);
  });

  test('a zone file that goes wrong keeps the one before, and says where', async () => {
    const file = join(directory, 'file.test.zone');
    const zone = (address: string) =>
      `@ 60 SOA ns h 1 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.1\nwww 60 A ${address}\n`;
    writeFileSync(file, zone('192.0.2.7'));
    await start();
    expect(explain('www.file.test', '8.8.8.8').answers).toEqual(['www.file.test 60 A 192.0.2.7']);
    writeFileSync(file, zone('192.0.2.777'));
    dns.zones.lookAtFiles(true);
    await dns.zones.settled();
    const [row] = zoneRows(dns);
    expect(row?.problems[0]).toMatch(/file\.test\.zone:4:10: /);
    expect(explain('www.file.test', '8.8.8.8').answers).toEqual(['www.file.test 60 A 192.0.2.7']);
    writeFileSync(file, zone('192.0.2.8'));
    dns.zones.lookAtFiles(true);
    await dns.zones.settled();
    await until('the new one is served', async () => {
      return explain('www.file.test', '8.8.8.8').answers[0]?.endsWith('192.0.2.8') ?? false;
    });
  });

  test('a zone that a file and the site have is the file’s, and that is shown', async () => {
    const text = '@ 60 SOA ns h 7 2 3 4 5\n@ 60 NS ns\nns 60 A 192.0.2.1\n';
    writeFileSync(join(directory, 'example.com.zone'), text);
    await apply({ zones: SITE.zones, records: SITE.records.slice(0, 2) });
    await start();
    await until('it is applied', async () => dns.applied.dns === 1);
    expect(zoneRows(dns)).toMatchObject([
      {
        zone: 'example.com',
        source: 'file',
        serial: 7,
        warnings: expect.arrayContaining(['that of objects is not served: file has it, too']),
      },
    ]);
  });

  test('a zone that never was good is SERVFAIL, one of nobody REFUSED', async () => {
    writeFileSync(join(directory, 'bad.test.zone'), 'nonsense\n');
    await start();
    expect(explain('www.bad.test', '8.8.8.8').verdict).toBe('servfail');
    expect(explain('www.nobody.test', '8.8.8.8').verdict).toBe('refused-zone');
    expect(dns.drift[0]).toMatch(/^zone bad\.test: .*bad\.test\.zone:1:9: /);
  });
});
