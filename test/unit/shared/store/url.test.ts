// The store's URL, in every form an operator may write.
import { describe, expect, test } from 'vitest';
import { parseStoreUrl } from '../../../../shared/store/url.ts';

const at = (host: string, port: number) => ({ host, port });

test.each([
  ['embedded', { kind: 'embedded' }],
  ['redis://redis.example.org', { kind: 'server', at: at('redis.example.org', 6379), tls: false }],
  ['redis://192.0.2.1:7000', { kind: 'server', at: at('192.0.2.1', 7000), tls: false }],
  ['rediss://[2001:db8::1]:7000', { kind: 'server', at: at('2001:db8::1', 7000), tls: true }],
  ['redis://[2001:db8::1]', { kind: 'server', at: at('2001:db8::1', 6379), tls: false }],
  ['unix:/run/redis.sock', { kind: 'socket', path: '/run/redis.sock' }],
  ['unix:///run/redis.sock', { kind: 'socket', path: '/run/redis.sock' }],
  ['redis+unix:///run/redis.sock', { kind: 'socket', path: '/run/redis.sock' }],
  [
    'redis+sentinel://h1,h2:26380/mymaster',
    { kind: 'sentinel', nodes: [at('h1', 26379), at('h2', 26380)], group: 'mymaster', tls: false },
  ],
  [
    'rediss+cluster://h1,h2:7000',
    { kind: 'cluster', nodes: [at('h1', 6379), at('h2', 7000)], tls: true },
  ],
])('%s', (text, address) => {
  expect(parseStoreUrl(text)).toEqual(address);
});

describe('refused', () => {
  test.each([
    ['', 'is not one of'],
    ['redis', 'is not one of'],
    ['http://redis.example.org', 'is not one of'],
    ['unix:run/redis.sock', 'is not one of'],
    ['redis://', 'bad host or port'],
    ['redis://h:0', 'bad host or port'],
    ['redis://h:65536', 'bad host or port'],
    ['redis://h1,h2', 'several hosts'],
    ['redis://h/1', 'several databases are not supported'],
    ['redis+sentinel://h1', 'names no Sentinel group'],
    ['redis+cluster://h1,,h2', 'bad host or port'],
    ['redis://user:secret@h', 'passwordFile'],
  ])('%j', (text, reason) => {
    const address = parseStoreUrl(text);
    const reasons = 'reasons' in address ? address.reasons.join() : '';
    expect(reasons).toContain(reason);
    expect(reasons, 'no secret in what is shown').not.toContain('secret');
  });
});
