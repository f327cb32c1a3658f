// The store's part of every configuration file.
import { expect, test } from 'vitest';
import { z } from 'zod';
import { credentialsOf, storeCredentials, storeUrl } from '../../../../shared/store/settings.ts';

test('a URL that none can open is refused with the forms that are known', () => {
  expect(storeUrl.safeParse('redis://10.0.0.1').success).toBe(true);
  const { error } = storeUrl.safeParse('http://10.0.0.1');
  expect(error?.issues.map(({ message }) => message)).toEqual([
    expect.stringContaining('redis+sentinel://'),
  ]);
});

test.each([
  [{ username: undefined, passwordFile: '/etc/edge/password' }, ['passwordFile']],
  [{ tls: { caFile: '/etc/edge/ca.pem', keyFile: undefined } }, ['tls']],
  [{}, []],
])('of %j what is undefined is absent', (given, fields) => {
  const credentials = credentialsOf(given);
  expect(Object.keys(credentials)).toEqual(fields);
  expect(Object.values(credentials.tls ?? {})).not.toContain(undefined);
});

test('every field of a file arrives', () => {
  const file = {
    username: 'edge',
    passwordFile: '/p',
    sentinelPasswordFile: '/s',
    tls: { caFile: '/ca', certFile: '/cert', keyFile: '/key', serverName: 'redis.example' },
  };
  const parsed = z.strictObject(storeCredentials).parse(file);
  expect(credentialsOf(parsed)).toEqual(file);
});
