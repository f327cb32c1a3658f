import { describe, expect, test } from 'vitest';
import { hostOf } from '../../../../lb/l7/http1/authority.ts';
import { fieldNamed, NAME_OF } from '../../../../lb/l7/http1/fields.ts';
import { createRequestHead, parseRequestHead } from '../../../../lb/l7/http1/request-head.ts';
import { FIELD, type RequestHead } from '../../../../lb/l7/http1/types.ts';
import { fieldsOf, headerOf, targetOf, viewOf } from '../../../../lb/l7/http1/view.ts';
import { wire } from './cases.ts';

function parsed(text: string, into = createRequestHead()): RequestHead {
  const bytes = wire(text);
  expect(parseRequestHead(bytes, 0, bytes.length, into)).toBe('done');
  return into;
}

const HEAD = parsed(
  [
    'GET /a?b HTTP/1.1\nHost: A.b:80\nConnection: X-Gone\nCookie: a=1\ncookie: b=2\nX-A: 1',
    'x-a: 2\nX-A~^: 3\nX_A: 4\nX-Gone: 5\nVia: 1.0 x\nvia: 1.1 y\nContent-Length: 0\n\n',
  ].join('\n'),
);

describe('a head as strings', () => {
  test.each([
    ['host', 'A.b:80'],
    ['cookie', 'a=1; b=2'],
    ['via', '1.0 x, 1.1 y'],
    ['x-a', '1, 2'],
    ['x-a~^', '3'],
    ['x_a', undefined],
    ['x-b', undefined],
    ['etag', undefined],
    ['content-length', '0'],
  ])('%s: %s', (name, value) => {
    expect(headerOf(HEAD, name)).toBe(value);
    expect(viewOf(HEAD).header(name)).toBe(value);
  });

  test('view', () => {
    expect(viewOf(HEAD)).toMatchObject({ method: 'GET', host: 'a.b', target: '/a?b' });
  });

  test('the fields that are sent on', () => {
    const edits = { drop: new Set(['via', 'x-a']), add: [['X-New', 'n']] as const };
    expect(fieldsOf(HEAD, edits)).toEqual([
      ['host', 'A.b:80'],
      ['cookie', 'a=1'],
      ['cookie', 'b=2'],
      ['x-a~^', '3'],
      ['x-new', 'n'],
    ]);
    expect(fieldsOf(HEAD).map(([name]) => name)).toContain('x-a');
  });

  test('the next request on the same head', () => {
    const head = parsed('GET /a HTTP/1.1\nHost: a\nConnection: close, x\nExpect: 100-continue\n\n');
    expect([head.keepAlive, head.connectionOptions, head.expectContinue]).toEqual([
      false,
      ['x'],
      true,
    ]);
    parsed('OPTIONS * HTTP/1.1\nHost: a\nMax-Forwards: 7\n\n', head);
    expect([head.keepAlive, head.connectionOptions, head.expectContinue]).toEqual([
      true,
      [],
      false,
    ]);
    expect([head.host, head.maxForwards, targetOf(head)]).toEqual(['a', 7, '*']);
    parsed('GET / HTTP/1.1\nHost: b.:1\n\n', head);
    expect([head.host, head.authority, head.maxForwards]).toEqual(['b', 'b.:1', -1]);
    parsed('GET / HTTP/1.0\n\n', head);
    expect([head.host, head.authority, head.keepAlive]).toEqual(['', '', false]);
  });

  test.each([
    ['upgrade', 'Connection: Upgrade\nUpgrade: websocket\n', 1, true],
    ['no Connection', 'Upgrade: websocket\n', 1, false],
    ['no Upgrade', 'Connection: upgrade\n', 1, false],
    ['HTTP/1.0', 'Connection: upgrade\nUpgrade: websocket\n', 0, false],
  ])('upgrade: %s', (_, fields, minor, expected) => {
    expect(parsed(`GET / HTTP/1.${minor}\nHost: a\n${fields}\n`).upgrade).toBe(expected);
  });

  test.each([
    ['HTTP/1.1', 1, '', true],
    ['HTTP/1.0', 0, '', false],
    ['HTTP/1.0 that stays', 0, 'Connection: Keep-Alive\n', true],
    ['HTTP/1.0 that does not', 0, 'Connection: keep-alive\nConnection: close\n', false],
    ['close among others', 1, 'Connection: keep-alive , CLOSE\n', false],
    ['a word that only begins so', 1, 'Connection: closed\n', true],
  ])('keep-alive: %s', (_, minor, fields, expected) => {
    expect(parsed(`GET / HTTP/1.${minor}\nHost: a\n${fields}\n`).keepAlive).toBe(expected);
  });
});

test('every known name is known, in any case, and no other of its length', () => {
  for (const [field, name] of NAME_OF.entries()) {
    if (name === '') continue;
    expect(fieldNamed(name)).toBe(field);
    const last = name.endsWith('x') ? 'y' : 'x';
    const other = name.slice(0, -1) + last;
    const names = `${name.toUpperCase()}: 1\n${other}: 1\n`;
    // Some values would not do for a request of their own.
    const head = createRequestHead();
    const bytes = wire(`GET / HTTP/1.1\nA: b\n${names}\n`);
    parseRequestHead(bytes, 0, bytes.length, head);
    expect([...head.names.subarray(0, 3)], name).toEqual([FIELD.OTHER, field, FIELD.OTHER]);
  }
});

test('hostOf is for others, too', () => {
  expect(hostOf('A.b.:80')).toBe('a.b');
  expect(hostOf('[2001:DB8::0:1]')).toBe('[2001:db8::1]');
  expect(hostOf('u@a')).toBeUndefined();
  expect(hostOf('')).toBeUndefined();
});
