// Which code an operator sees for what the client library throws.
import { expect, test } from 'vitest';
import { OperationalError } from '../../../../shared/errors.ts';
import { storeError } from '../../../../shared/store/failure.ts';

test.each([
  ['Command timed out', undefined, 'EDGE_STORE_TIMEOUT'],
  ['Connection is closed.', undefined, 'EDGE_STORE_UNREACHABLE'],
  ['connect ECONNREFUSED 192.0.2.1:6379', undefined, 'EDGE_STORE_UNREACHABLE'],
  ['connect ENOENT /run/redis.sock', undefined, 'EDGE_STORE_UNREACHABLE'],
  ['READONLY You can not write against a read only replica.', undefined, 'EDGE_STORE_UNREACHABLE'],
  ['LOADING Redis is loading the dataset in memory', undefined, 'EDGE_STORE_UNREACHABLE'],
  ['CLUSTERDOWN The cluster is down', undefined, 'EDGE_STORE_UNREACHABLE'],
  ['NOAUTH Authentication required.', undefined, 'EDGE_STORE_DENIED'],
  ['NOPERM this user has no permissions', undefined, 'EDGE_STORE_DENIED'],
  ['Connection is closed.', 'WRONGPASS invalid username-password pair', 'EDGE_STORE_DENIED'],
  ['Connection is closed.', 'self-signed certificate in certificate chain', 'EDGE_STORE_TLS'],
  ['Connection is closed.', 'Hostname/IP does not match certificate altnames', 'EDGE_STORE_TLS'],
  ["OOM command not allowed when used memory > 'maxmemory'.", undefined, 'EDGE_STORE_FULL'],
  ['WRONGTYPE Operation against a key', undefined, 'EDGE_STORE_DAMAGED'],
  ['ERR unknown command', undefined, 'EDGE_STORE_FAILED'],
])('%s (%s): %s', (text, hint, code) => {
  const cause = new Error(text);
  const trouble = hint === undefined ? undefined : new Error(hint);
  const error = storeError(cause, trouble);
  expect(error.code).toBe(code);
  expect(error.cause).toBe(trouble ?? cause);
});

test('an error that has its code already passes', () => {
  const error = new OperationalError('EDGE_STORE_CONFLICT', 'no');
  expect(storeError(error, new Error('WRONGPASS'))).toBe(error);
});
