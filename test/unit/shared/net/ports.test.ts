import { describe, expect, test } from 'vitest';
import {
  formatEndpoint,
  formatListen,
  formatPortRange,
  parseEndpoint,
  parseListen,
  parsePort,
  parsePortRange,
  publicEndpoint,
} from '../../../../shared/net/ports.ts';

describe('ports', () => {
  test.each([
    ['1', 1],
    ['443', 443],
    ['65535', 65535],
  ])('port %s', (text, port) => {
    expect(parsePort(text)).toBe(port);
  });

  test.each(['', '0', '65536', '0443', '-1', '+1', '1.0', '443 ', '1e3', '99999999999'])(
    'port %j is refused',
    (text) => {
      expect(parsePort(text)).toBeUndefined();
    },
  );

  test.each([
    ['443', { first: 443, last: 443 }],
    ['8000-8099', { first: 8000, last: 8099 }],
    ['1-65535', { first: 1, last: 65535 }],
  ])('range %s', (text, range) => {
    expect(parsePortRange(text)).toEqual(range);
    expect(formatPortRange(range)).toBe(text);
  });

  test.each(['', '-', '1-', '-1', '2-1', '1-2-3', '0-5', '1 - 2', '8000-65536'])(
    'range %j is refused',
    (text) => {
      expect(parsePortRange(text)).toBeUndefined();
    },
  );

  test.each([
    ['127.0.0.1:9100', { host: '127.0.0.1', port: 9100 }],
    ['[::1]:9100', { host: '::1', port: 9100 }],
    ['redis-1.example.org:6379', { host: 'redis-1.example.org', port: 6379 }],
  ])('endpoint %s', (text, endpoint) => {
    expect(parseEndpoint(text)).toEqual(endpoint);
    expect(formatEndpoint(endpoint)).toBe(text);
  });

  test.each([
    '',
    ':80',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:0',
    '127.0.0.256:80',
    '1.2.3:80',
    '::1:80',
    '[::1]',
    '[1.2.3.4]:80',
    'a b:80',
    '-a:80',
    'a..b:80',
    'http://a:80',
  ])('endpoint %j is refused', (text) => {
    expect(parseEndpoint(text)).toBeUndefined();
  });
});

test.each(['127.0.0.1:9101', '[::1]:9101', 'unix:/run/edge/a.sock'])('listen on %j', (text) => {
  const listen = parseListen(text);
  expect(listen && formatListen(listen)).toBe(text);
});

test.each(['unix:', 'unix:a.sock', 'unix:/a\0', '/run/a.sock', '9101'])(
  'listen on %j is refused',
  (text) => expect(parseListen(text)).toBeUndefined(),
);

test('who listens on a socket is reached by no other host', () => {
  expect(publicEndpoint({ path: '/run/edge/a.sock' }, 'natter-1')).toBeUndefined();
});

test.each([
  ['127.0.0.1', undefined],
  ['::1', undefined],
  ['localhost', undefined],
  ['0.0.0.0', 'natter-1:9101'],
  ['::', 'natter-1:9101'],
  ['10.0.0.11', '10.0.0.11:9101'],
])('what listens on %s is reached at %s', (host, expected) => {
  const found = publicEndpoint({ host, port: 9101 }, 'natter-1');
  expect(found && formatEndpoint(found)).toBe(expected);
});
