import { describe, expect, test } from 'vitest';
import { readRequest } from '../../../../dns/transports/https-request.ts';
import { leastTtlSeconds } from '../../../../dns/transports/least-ttl.ts';
import { bytesOf, hex16, hexOf, nameHex, optHex, questionHex } from '../answer/packets.ts';

const TYPE = 'application/dns-message';
const get = (path: string) => ({ ':method': 'GET', ':path': path });
const post = (type?: string) => ({
  ':method': 'POST',
  ':path': '/dns-query',
  ...(type === undefined ? {} : { 'content-type': type }),
});

describe('a request', () => {
  test.each([
    ['GET', get('/dns-query?dns=AAEC'), '000102'],
    ['GET, with other words beside it', get('/dns-query?a=b&dns=AAEC&c'), '000102'],
    ["GET in base64url's own letters", get('/dns-query?dns=-_8'), 'fbff'],
    ['GET without dns', get('/dns-query'), 400],
    ['GET with another name', get('/dns-query?DNS=AAEC'), 400],
    ['GET with nothing in it', get('/dns-query?dns='), 400],
    ['GET with padding', get('/dns-query?dns=AA=='), 400],
    ['GET in plain base64', get('/dns-query?dns=+/8'), 400],
    ['GET, encoded once more', get('/dns-query?dns=%41AEC'), '000102'],
    ['GET, the longest', get(`/dns-query?dns=${'A'.repeat(87_380)}`), '00'.repeat(65_535)],
    ['GET, longer', get(`/dns-query?dns=${'A'.repeat(87_382)}`), 414],
    ['another path', get('/other?dns=AAEC'), 404],
    ['a longer path', get('/dns-query/?dns=AAEC'), 404],
    ['POST', post(TYPE), 'body'],
    ['POST with a parameter', post(`${TYPE.toUpperCase()}; charset=utf-8`), 'body'],
    ['POST of another type', post('application/dns-json'), 415],
    ['POST of no type', post(), 415],
    ['HEAD', { ':method': 'HEAD', ':path': '/dns-query?dns=AAEC' }, 405],
    ['no path', { ':method': 'OPTIONS' }, 404],
  ] as const)('%s', (_, headers, wanted) => {
    const asked = readRequest(headers, '/dns-query');
    expect(Buffer.isBuffer(asked) ? hexOf(asked) : asked).toEqual(wanted);
  });
});

const header = (...counts: number[]) =>
  `12348400${counts.map((count) => count.toString(16).padStart(4, '0')).join('')}`;
function record(ttl: number, data = 'c0000201', type = '0001', owner = 'c00c'): string {
  return `${owner}${type}0001${ttl.toString(16).padStart(8, '0')}${hex16(data.length / 2)}${data}`;
}
const question = questionHex('www.example.com');

describe('the least TTL', () => {
  test.each([
    ['of one record', header(1, 1, 0, 0) + question + record(60), 60],
    ['of several', header(1, 3, 0, 0) + question + record(60) + record(7) + record(90), 7],
    ['in any section', header(1, 1, 1, 1) + question + record(60) + record(50) + record(40), 40],
    ['is not what OPT has', header(1, 1, 0, 1) + question + record(300) + optHex(), 300],
    ['of none', header(1, 0, 0, 1) + question + optHex(), 0],
    ['without a question', header(0, 0, 0, 0), 0],
    [
      'behind an owner in full',
      header(1, 1, 0, 0) + question + record(9, '', '0010', nameHex('a.b')),
      9,
    ],
    ['beyond 2^31', header(1, 1, 0, 0) + question + record(0xffff_fffe), 0xffff_fffe],
    ['of a head alone', '1234', 0],
    ['of what is cut off', `${header(1, 1, 0, 0)}${question}c00c0001`, 0],
    ['of a name without an end', `${header(1, 1, 0, 0)}3f`, 0],
  ])('%s', (_, hex, seconds) => {
    expect(leastTtlSeconds(bytesOf(hex))).toBe(seconds);
  });
});
