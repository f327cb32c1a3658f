import { describe, expect, test } from 'vitest';
import { BAD } from '../../../../lb/l7/http1/bad.ts';
import { createRequestHead, parseRequestHead } from '../../../../lb/l7/http1/request-head.ts';
import { MAX_FIELDS, type RequestHead } from '../../../../lb/l7/http1/types.ts';
import { NO_EDITS, writeRequestHead } from '../../../../lb/l7/http1/write-head.ts';
import { wire } from './cases.ts';
import { REQUEST_CASES } from './request-cases.ts';

function sentOn(head: RequestHead): string {
  const out = Buffer.alloc(32_768);
  const length = writeRequestHead(out, head, NO_EDITS, {
    framing: head.framing === 'close' ? 'none' : head.framing,
    contentLength: head.contentLength,
    upgrade: false,
    via: 'edge-lb',
  });
  return out.toString('latin1', 0, length);
}

const via = (text: string, minor: number) =>
  wire(text).toString('latin1').replace(/\r\n$/, `Via: 1.${minor} edge-lb\r\n\r\n`);

describe('request', () => {
  test.each(REQUEST_CASES)('$section: $name', (row) => {
    const bytes = wire(row.input);
    const head = createRequestHead();
    const verdict = parseRequestHead(bytes, 0, bytes.length, head);
    if (row.output === undefined) {
      expect(verdict).toMatchObject({
        reason: row.bad,
        ...(row.status ? { status: row.status } : {}),
      });
      return;
    }
    expect(verdict).toBe('done');
    expect(head.end).toBe(bytes.length);
    expect(sentOn(head)).toBe(via(row.output, head.minor));
    if (row.host !== undefined) expect(head.host).toBe(row.host);
  });

  test('every reason to refuse a request is in the table', () => {
    const tabled = new Set(REQUEST_CASES.map(({ bad }) => bad));
    const others = /^(chunk|trailer|status-line)/;
    const reasons = Object.values(BAD).map(({ reason }) => reason);
    expect(reasons.filter((reason) => !others.test(reason) && !tabled.has(reason))).toEqual([]);
  });

  test('wherever a request is cut, the verdict is the same', () => {
    for (const { input } of REQUEST_CASES) {
      const bytes = wire(input);
      const whole = parseRequestHead(bytes, 0, bytes.length, createRequestHead());
      const head = createRequestHead();
      let end = 1;
      const step = Math.max(1, Math.floor(bytes.length / 500));
      let verdict = parseRequestHead(bytes, 0, end, head);
      while (verdict === 'more' && end < bytes.length) {
        end = Math.min(bytes.length, end + step);
        verdict = parseRequestHead(bytes, 0, end, head);
      }
      expect(verdict, input).toBe(whole);
    }
  });

  test('at any offset, with anything behind it', () => {
    for (const { input } of REQUEST_CASES) {
      const bytes = wire(input);
      const [alone, within] = [createRequestHead(), createRequestHead()];
      const verdict = parseRequestHead(bytes, 0, bytes.length, alone);
      if (verdict === 'more') continue;
      const shifted = Buffer.concat([Buffer.from('xyz'), bytes, Buffer.from(': \r\n\r\n')]);
      expect(parseRequestHead(shifted, 3, shifted.length, within), input).toBe(verdict);
      if (verdict !== 'done') continue;
      expect(within.end).toBe(alone.end + 3);
      expect(sentOn(within)).toBe(sentOn(alone));
    }
  });

  test('what is sent on is parsed to the same, and sent on the same', () => {
    for (const { input, output } of REQUEST_CASES) {
      if (output === undefined || output.includes('Host: \n')) continue;
      const bytes = wire(input);
      const head = createRequestHead();
      parseRequestHead(bytes, 0, bytes.length, head);
      if (head.maxForwards > 0 || head.count === MAX_FIELDS) continue;
      const once = Buffer.from(sentOn(head), 'latin1');
      const again = createRequestHead();
      expect(parseRequestHead(once, 0, once.length, again)).toBe('done');
      expect(again.framing).toBe(head.framing);
      expect(again.host).toBe(head.host);
      // Its Via is one more; fields that are written anew move to the end.
      const expected = [...once.toString('latin1').split('\r\n'), 'Via: 1.1 edge-lb'];
      expect(sentOn(again).split('\r\n').sort()).toEqual(expected.sort());
    }
  });
});
