import { describe, expect, test } from 'vitest';
import { COOKIE_BYTES, Cookies } from '../../../../dns/answer/cookies.ts';
import { sipHash24, sipKey } from '../../../../dns/answer/siphash.ts';
import { bytesOf, hexOf } from './packets.ts';

describe('SipHash-2-4', () => {
  // The reference implementation's: key 00..0f, message of `length` bytes 00, 01, …
  test.each([
    [0, '310e0edd47db6f72'],
    [1, 'fd67dc93c539f874'],
    [7, '37d1018bf50002ab'],
    [8, '6224939a79f5f593'],
    [15, 'e545be4961ca29a1'],
    [63, '724506eb4c328a95'],
  ])('of %i bytes', (length, expected) => {
    const key = sipKey(Uint8Array.from({ length: 16 }, (_, index) => index));
    const data = Uint8Array.from({ length: 80 }, (_, index) => index);
    const out = new Uint8Array(10);
    sipHash24(key, data, length, out, 1);
    expect(hexOf(out)).toBe(`00${expected}00`);
  });
});

const secret = bytesOf('e5e973e5a6b2a43f48e7dc849e37bfcf');
const alone = Uint8Array.of(198, 51, 100, 100);
const renewing = Uint8Array.of(203, 0, 113, 203);
const six = bytesOf('20010db80220000159ded0f4876982b8');

describe('RFC 9018 appendix A', () => {
  test.each([
    {
      what: 'A.1 a new one',
      secrets: [secret],
      client: alone,
      now: 1559731985,
      sent: '2464c4abcf10c957',
      isRight: false,
      reply: '2464c4abcf10c957010000005cf79f111f8130c3eee29480',
    },
    {
      what: 'A.2 the same client, which is renewed after half an hour',
      secrets: [secret],
      client: alone,
      now: 1559734385,
      sent: '2464c4abcf10c957010000005cf79f111f8130c3eee29480',
      isRight: true,
      reply: '2464c4abcf10c957010000005cf7a871d4a564a1442aca77',
    },
    {
      what: 'A.3 one that is older than an hour',
      secrets: [secret],
      client: renewing,
      now: 1559734700,
      sent: 'fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5',
      isRight: false,
      reply: 'fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e',
    },
    {
      what: 'A.4 a secret that was rolled, IPv6',
      secrets: [
        bytesOf('445536bcd2513298075a5d379663c962'),
        bytesOf('dd3bdf9344b678b185a6f5cb60fca715'),
      ],
      client: six,
      now: 1559741961,
      sent: '22681ab97d52c298010000005cf7c57926556bd0934c72f8',
      isRight: true,
      reply: '22681ab97d52c298010000005cf7c609a6bb79d16625507a',
    },
  ])('$what', ({ secrets, client, now, sent, isRight, reply }) => {
    const cookies = new Cookies(secrets);
    const bytes = bytesOf(`ffff${sent}`);
    expect(cookies.judge(bytes, 2, bytes.length - 2, client, now)).toBe(isRight);
    expect(hexOf(cookies.reply)).toBe(reply);
  });

  test('A.3 reserved bits that are set, while it was young', () => {
    const bytes = bytesOf('fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5');
    expect(new Cookies([secret]).judge(bytes, 0, 24, renewing, 1559727985)).toBe(true);
  });
});

describe('a cookie', () => {
  const made = 1_000_000_000;

  function given(): Uint8Array {
    const cookies = new Cookies([secret]);
    cookies.judge(bytesOf('0102030405060708'), 0, 8, alone, made);
    return cookies.reply.slice();
  }

  test.each([
    { age: 0, isRight: true, isKept: true },
    { age: 1800, isRight: true, isKept: true },
    { age: 1801, isRight: true, isKept: false },
    { age: 3600, isRight: true, isKept: false },
    { age: 3601, isRight: false, isKept: false },
    { age: -300, isRight: true, isKept: true },
    { age: -301, isRight: false, isKept: false },
  ])('of $age seconds', ({ age, isRight, isKept }) => {
    const cookies = new Cookies([secret]);
    expect(cookies.judge(given(), 0, COOKIE_BYTES, alone, made + age)).toBe(isRight);
    expect(hexOf(cookies.reply) === hexOf(given())).toBe(isKept);
  });

  test('is of one address, one secret, one client cookie and one version', () => {
    const cookies = new Cookies([secret]);
    const judge = (bytes: Uint8Array, client = alone) =>
      cookies.judge(bytes, 0, COOKIE_BYTES, client, made);
    expect(judge(given(), renewing)).toBe(false);
    for (let at = 0; at < COOKIE_BYTES; at++) {
      const bytes = given();
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      expect(judge(bytes), `byte ${at}`).toBe(false);
    }
    expect(new Cookies([new Uint8Array(16)]).judge(given(), 0, 24, alone, made)).toBe(false);
  });

  test('of an older secret is right, and renewed with the newest', () => {
    const cookies = new Cookies([new Uint8Array(16), secret]);
    expect(cookies.judge(given(), 0, COOKIE_BYTES, alone, made)).toBe(true);
    expect(hexOf(cookies.reply)).not.toBe(hexOf(given()));
    expect(cookies.judge(cookies.reply.slice(), 0, COOKIE_BYTES, alone, made)).toBe(true);
  });

  test('of another length has no server cookie that could be right', () => {
    const cookies = new Cookies([secret]);
    const longer = new Uint8Array(40);
    longer.set(given());
    expect(cookies.judge(longer, 0, 40, alone, made)).toBe(false);
    expect(cookies.judge(given(), 0, 8, alone, made)).toBe(false);
  });
});
