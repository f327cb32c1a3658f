import { describe, expect, test } from 'vitest';
import { ask, imageOf, nameOf, resolveOf } from '../../../support/dns/resolve-rig.ts';
import { resolve, text } from './resolve-zone.ts';

describe('E2: what does not fit', () => {
  const bigText = `${text}${Array.from({ length: 40 }, (_, n) => `big A 10.0.0.${n}`).join('\n')}
${Array.from({ length: 30 }, (_, n) => `cut NS ns${n}.cut\nns${n}.cut A 10.0.1.${n}`).join('\n')}
`;
  const big = resolveOf([imageOf('example.', bigText)]);

  test('an answer: truncated, and nothing was kept', () => {
    const heard = ask(big, 'big.example.', 'A', { limit: 512 });
    expect(heard.result.isTruncated).toBe(true);
    expect(heard.result.end).toBe(12 + 'big.example.'.length + 1 + 4);
    expect(ask(big, 'big.example.', 'A').answer).toHaveLength(40);
  });

  test('A4: glue that a referral needs: truncated; exactly fitting: not', () => {
    const whole = ask(big, 'a.cut.example.', 'A');
    expect(whole.additional).toHaveLength(30);
    const { end } = whole.result;
    expect(ask(big, 'a.cut.example.', 'A', { limit: end }).additional).toHaveLength(30);
    expect(ask(big, 'a.cut.example.', 'A', { limit: end - 1 }).result.isTruncated).toBe(true);
  });

  test('A9: other additional data is left out, never half an RRset of it', () => {
    const whole = ask(resolve, 'mail.example.', 'MX').result.end;
    for (let limit = whole; limit >= whole - 48; limit--) {
      const heard = ask(resolve, 'mail.example.', 'MX', { limit });
      expect(heard.result.isTruncated).toBe(false);
      expect([0, 1, 2, 3]).toContain(heard.additional.length);
      expect(heard.additional.filter((line) => line.startsWith('www')).length).not.toBe(1);
    }
    expect(ask(resolve, 'mail.example.', 'MX', { limit: whole - 49 }).result.isTruncated).toBe(
      true,
    );
  });

  test('A12: nothing points beyond 16,383, at any length of an answer', () => {
    const rows = Array.from(
      { length: 900 },
      (_, n) => `huge NS ns${n}.zone${n}\nns${n}.zone${n} A 10.1.${n >> 8}.${n & 255}`,
    );
    const huge = resolveOf([imageOf('example.', `${text}${rows.join('\n')}\n`)]);
    const heard = ask(huge, 'a.huge.example.', 'A');
    expect(heard.additional).toHaveLength(900);
    expect(heard.result.end).toBeGreaterThan(0x3fff);
  });
});

describe('A12: where names are compressed', () => {
  const dataBytes = (name: string, type: string): number => {
    const { bytes } = ask(resolve, name, type);
    const head = 12 + nameOf(name).length + 4 + 10;
    return ((bytes[head] ?? 0) << 8) | (bytes[head + 1] ?? 0);
  };

  test.each([
    ['MX: behind the preference a label and a pointer', 'mail.example.', 'MX', 2 + 3 + 2],
    ['MX of a wildcard: its parent is in the question', 'a.wmx.example.', 'MX', 2 + 3 + 2],
    ['CNAME', 'c1.example.', 'CNAME', 3 + 2],
    ['SRV: in full', '_s._tcp.example.', 'SRV', 6 + 13],
    ['HTTPS: in full', 'svcalias.example.', 'HTTPS', 2 + 13],
    ['DNAME: in full (RFC 6672 §2.5)', 'd.example.', 'DNAME', 16],
  ])('%s', (_, name, type, bytes) => expect(dataBytes(name, type)).toBe(bytes));

  test('SOA: both names; NS: an earlier one of the RRset', () => {
    const soa = ask(resolve, 'example.', 'SOA').bytes;
    expect(soa.length).toBe(12 + 9 + 4 + 12 + (4 + 2) + (5 + 2) + 20);
    const far = resolveOf([imageOf('example.', `${text}x NS a.far.net.\nx NS b.far.net.\n`)]);
    const ns = ask(far, 'x.example.', 'NS').bytes;
    expect(ns.length).toBe(12 + 11 + 4 + (12 + 11) + (12 + 2 + 2));
  });
});

describe('R1: what an answer is like', () => {
  const alike: readonly [string, string, string][] = [
    ['www.example.', 'A', 'www.example.'],
    ['no.mail.example.', 'A', 'example.'],
    ['a.b.wild.example.', 'A', 'wild.example.'],
    ['a.wild.example.', 'TXT', 'wild.example.'],
    ['a.b.sub.example.', 'A', 'sub.example.'],
    ['www.d.example.', 'A', 'd.example.'],
    ['c1.example.', 'A', 'c1.example.'],
    ['lost.example.', 'A', 'lost.example.'],
    ['some.where.', 'A', '.'],
  ];
  test.each(alike)('%s %s is like %s', (name, type, like) => {
    const at = ask(resolve, name, type).result.likeAt;
    expect([...nameOf(name).subarray(at)]).toEqual([...nameOf(like)]);
  });
});
