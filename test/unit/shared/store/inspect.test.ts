// What doctor concludes from a server's INFO.
import { expect, test } from 'vitest';
import { judge, parseInfo } from '../../../../shared/store/inspect.ts';

const good = {
  redis_version: '7.0.15',
  maxmemory_policy: 'noeviction',
  aof_enabled: '1',
  aof_last_write_status: 'ok',
  rdb_last_bgsave_status: 'ok',
};

test.each<[string, Record<string, string>, string[]]>([
  ['a good server', {}, []],
  ['the oldest that will do', { redis_version: '6.2.0' }, []],
  ['one too old', { redis_version: '6.0.16' }, ['error EDGE_STORE_OLD']],
  ['one much too old', { redis_version: '5.9.1' }, ['error EDGE_STORE_OLD']],
  ['one of two digits', { redis_version: '10.0.1' }, []],
  ['eviction', { maxmemory_policy: 'allkeys-lru' }, ['error EDGE_STORE_EVICTS']],
  ['no append-only file', { aof_enabled: '0' }, ['warning EDGE_STORE_NO_AOF']],
  ['a full disk', { aof_last_write_status: 'err' }, ['error EDGE_STORE_DISK']],
])('%s', (_, changed, expected) => {
  const lines = Object.entries({ ...good, ...changed }).map(([key, value]) => `${key}:${value}`);
  const info = parseInfo(['# Server', ...lines, ''].join('\r\n'));
  const findings = judge(info);
  expect(findings.map(({ level, code }) => `${level} ${code}`)).toEqual(expected);
  for (const { remedy } of findings) expect(remedy).not.toBe('');
});
