// doctor and the servers of the store: what it concludes from what they say of themselves.
import { describe, expect, it, test } from 'vitest';
import { isCheckId } from '../../../shared/ctl/doctor/checks.ts';
import { judgeServers } from '../../../shared/ctl/doctor/redis.ts';

const INFO = {
  redis_version: '7.0.15',
  maxmemory_policy: 'noeviction',
  maxmemory: '0',
  used_memory: '1000000',
  evicted_keys: '0',
  aof_enabled: '1',
  aof_last_write_status: 'ok',
  rdb_last_bgsave_status: 'ok',
  role: 'master',
  connected_slaves: '0',
};
const SETTINGS = {
  appendonly: 'yes',
  appendfsync: 'always',
  save: '',
  'min-replicas-to-write': '0',
};
const REPLICA = { connected_slaves: '1', slave0: 'ip=10.0.0.3,port=6379,state=online,offset=1' };

type Change = {
  info?: Record<string, string>;
  settings?: Record<string, string> | null;
  needsDurable?: boolean;
};

function judge({ info = {}, settings = {}, needsDurable = false }: Change) {
  const facts = {
    info: new Map(Object.entries({ ...INFO, ...info })),
    settings: settings === null ? undefined : new Map(Object.entries({ ...SETTINGS, ...settings })),
    clockMs: 0,
  };
  return judgeServers([facts, facts], { needsDurable }); // what two have is said once
}

describe('nothing is wrong with', () => {
  test.each<[string, Change]>([
    ['a good server', {}],
    ['one for dhcpd', { needsDurable: true }],
    ['one of two digits', { info: { redis_version: '10.0.1' } }],
    [
      'another one that says an old version',
      { info: { redis_version: '7.2.4', valkey_version: '8' } },
    ],
    ['everysec, without a dhcpd', { settings: { appendfsync: 'everysec' } }],
    [
      'everysec with a replica, for dhcpd',
      {
        info: REPLICA,
        settings: { appendfsync: 'everysec', 'min-replicas-to-write': '1' },
        needsDurable: true,
      },
    ],
    [
      'everysec with WAITAOF, for dhcpd',
      {
        info: { redis_version: '7.2.11' },
        settings: { appendfsync: 'everysec' },
        needsDurable: true,
      },
    ],
    ['half of maxmemory', { info: { maxmemory: '2000000' } }],
  ])('%s', (_, change) => {
    expect(judge(change)).toEqual([
      { level: 'ok', check: 'store.settings', message: 'Redis keeps what it is told' },
    ]);
  });
});

describe('is found', () => {
  test.each<[string, Change, string[]]>([
    ['a version too old', { info: { redis_version: '6.0.16' } }, ['fail store.version']],
    ['one much too old', { info: { redis_version: '5.9.1' } }, ['fail store.version']],
    ['one without support', { info: { redis_version: '6.2.20' } }, ['warn store.version']],
    ['one with holes', { info: { redis_version: '7.2.4' } }, ['warn store.version']],
    ['eviction', { info: { maxmemory_policy: 'allkeys-lru' } }, ['fail store.eviction']],
    ['what was evicted', { info: { evicted_keys: '3' } }, ['fail store.eviction']],
    ['no append-only file', { info: { aof_enabled: '0' } }, ['warn store.aof']],
    [
      'RDB alone, for dhcpd',
      { info: { aof_enabled: '0' }, settings: { save: '3600 1' }, needsDurable: true },
      ['fail store.aof'],
    ],
    ['no sync at all', { settings: { appendfsync: 'no' } }, ['warn store.aof']],
    [
      'everysec alone, for dhcpd',
      { settings: { appendfsync: 'everysec' }, needsDurable: true },
      ['fail store.aof'],
    ],
    ['a full disk', { info: { aof_last_write_status: 'err' } }, ['fail store.disk']],
    ['memory nearly full', { info: { maxmemory: '1200000' } }, ['warn store.memory']],
    ['memory full', { info: { maxmemory: '1010000' } }, ['fail store.memory']],
    ['a replica', { info: { role: 'slave' } }, ['fail store.replicas']],
    [
      'a replica out of step',
      { info: { ...REPLICA, slave0: 'ip=10.0.0.3,state=wait_bgsave' } },
      ['warn store.replicas'],
    ],
    ['a primary on its own', { info: REPLICA, needsDurable: true }, ['warn store.replicas']],
    ['settings that are not told', { settings: null }, ['warn store.rights']],
  ])('%s', (_, change, expected) => {
    const findings = judge(change);
    expect(findings.map(({ level, check }) => `${level} ${check}`)).toEqual(expected);
    for (const { remedy, check } of findings) {
      expect(remedy).toMatch(/./);
      expect(isCheckId(check)).toBe(true);
    }
  });
});

it('says that only snapshots are kept', () => {
  const [finding] = judge({ info: { aof_enabled: '0' }, settings: { save: '3600 1' } });
  expect(finding?.message).toContain('but for RDB snapshots');
});
