import { describe, expect, test } from 'vitest';
import { planNova } from '../../../natter/nova.ts';
import type { ObjectRecord } from '../../../shared/store/types.ts';

const row = (address: string, fixed: string) => ({ address, fixed });
const eip = (id: string, value: object): ObjectRecord => ({
  kind: 'eip',
  id,
  value: JSON.stringify(value),
});
const own = (id: string, inside: string, more = {}) =>
  eip(id, { ...more, private: inside, source: 'nova' });

describe('what becomes of a row', () => {
  test('a new floating IP is an EIP of nova’s', () => {
    const { changes } = planNova([row('198.51.100.7', '10.0.0.5')], [], false);
    expect(changes).toEqual([own('198.51.100.7', '10.0.0.5')]);
  });

  test('nothing has changed: nothing is stored', () => {
    const records = [own('198.51.100.7', '10.0.0.5')];
    expect(planNova([row('198.51.100.7', '10.0.0.5')], records, false).changes).toEqual([]);
  });

  test('a floating IP that moves keeps the limits that an operator gave it', () => {
    const records = [own('198.51.100.7', '10.0.0.5', { in: 1_000_000 })];
    const { changes } = planNova([row('198.51.100.7', '10.0.0.6')], records, false);
    expect(changes.map(({ value }) => JSON.parse(value ?? ''))).toEqual([
      { in: 1_000_000, private: '10.0.0.6', source: 'nova' },
    ]);
  });

  test('one that is gone is deleted, or stays for its port forwards', () => {
    const records = [
      own('198.51.100.7', '10.0.0.5'),
      own('198.51.100.8', '10.0.0.6'),
      { kind: 'forward', id: '198.51.100.8:443/tcp', value: '{"to":"10.0.0.9:443"}' },
    ];
    expect(planNova([], records, false).changes).toEqual([
      { kind: 'eip', id: '198.51.100.7', value: null },
      eip('198.51.100.8', { source: 'nova' }),
    ]);
  });
});

describe('what is left alone', () => {
  test('an operator’s EIP, whatever the row says', () => {
    const records = [eip('198.51.100.7', { private: '10.0.0.5' })];
    const plan = planNova([row('198.51.100.7', '10.0.0.6')], records, false);
    expect(plan.changes).toEqual([]);
    expect(plan.skipped).toEqual(["198.51.100.7: an operator's eip stands there"]);
    expect(planNova([], records, false).changes).toEqual([]);
  });

  test('a second floating IP of one fixed IP, and a private address of an operator’s', () => {
    const records = [eip('192.0.2.1', { private: '10.0.0.9' })];
    const rows = [
      row('198.51.100.8', '10.0.0.5'),
      row('198.51.100.7', '10.0.0.5'),
      row('198.51.100.9', '10.0.0.9'),
    ];
    const plan = planNova(rows, records, false);
    expect(plan.changes).toEqual([own('198.51.100.7', '10.0.0.5')]);
    expect(plan.skipped).toHaveLength(2);
  });

  test.each([[null], ['::1'], ['10.0.0.256'], [5]])('a row with %s for an address', (fixed) => {
    const plan = planNova([{ address: '198.51.100.7', fixed }], [], false);
    expect(plan.changes).toEqual([]);
    expect(plan.skipped[0]).toMatch(/not two IPv4 addresses/);
  });
});

test('a shrink by more than half needs a confirmation', () => {
  const ids = Array.from({ length: 20 }, (_, index) => index + 1);
  const records = ids.map((n) => own(`198.51.100.${n}`, `10.0.0.${n}`));
  const rows = ids.map((n) => row(`198.51.100.${n}`, `10.0.0.${n}`));
  expect(planNova(rows.slice(0, 10), records, false).changes).toHaveLength(10);
  const refused = planNova(rows.slice(0, 9), records, false);
  expect(refused).toMatchObject({ changes: [], refused: '11 of 20 floating IPs would go' });
  expect(planNova([], records, true).changes).toHaveLength(20);
});
