import { expect, test } from 'vitest';
import type { Grant } from '../../../soak/facts.ts';
import { judgeLeases } from '../../../soak/judge/leases.ts';
import { at, trouble } from '../facts.ts';

const LEASE = 60;
const ack = (mac: string, seconds: number, until = seconds + LEASE): Grant => ({
  address: '10.0.0.1',
  mac,
  atMs: at(seconds),
  untilMs: at(until),
});
const release = (mac: string, seconds: number): Grant => ack(mac, seconds, seconds);

const judged = (...grants: Grant[]) => judgeLeases({ grants, troubles: [] });

test.each([
  ['a client and its renewals', [ack('a', 0), ack('a', 30), ack('a', 80)]],
  ['the next one after the lease has ended', [ack('a', 0), ack('b', 60)]],
  ['the next one after a release', [ack('a', 0), release('a', 10), ack('b', 20)]],
  ['two addresses', [ack('a', 0), { ...ack('b', 0), address: '10.0.0.2' }]],
])('%s: kept', (_, grants) => {
  const verdict = judged(...grants);
  expect(verdict.breaches).toEqual([]);
  expect(verdict.checked).toBe(grants.filter((grant) => grant.untilMs > grant.atMs).length);
});

test.each([
  ['another one before the lease has ended', [ack('a', 0), ack('b', 59)]],
  ['told late, but heard before', [ack('b', 59), ack('a', 0)]],
  ['a short renewal does not shorten a promise', [ack('a', 0), ack('a', 10, 20), ack('b', 30)]],
  ['a release of somebody else', [ack('a', 0), release('b', 5), ack('b', 10)]],
])('%s: broken', (_, grants) => {
  expect(judged(...grants).breaches).toHaveLength(1);
});

test('what a tool saw twice breaks it', () => {
  const twice = trouble({ load: 'perfdhcp', kind: 'duplicate', what: '1 twice' });
  expect(judgeLeases({ grants: [], troubles: [twice] }).breaches).toEqual(['1 twice']);
});
