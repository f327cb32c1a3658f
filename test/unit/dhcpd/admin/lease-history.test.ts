import { expect, test } from 'vitest';
import { eventsOf } from '../../../../dhcpd/admin/lease-history.ts';

const fields = (events: unknown) =>
  ['e', JSON.stringify(events), 'r', 'x', 'i', '7'].map((each) => Buffer.from(each));

test('events of the log are told as an operator reads them', () => {
  const bind = ['bind', '10.1.0.7', '02:00:00:00:00:01', '0101020304', 1790000000, 3600, 'vm'];
  expect(
    eventsOf('1790000000123-0', fields([bind, ['free', '10.1.0.8', '', '00', 0, 0], 'x', [1]])),
  ).toEqual([
    {
      time: '2026-09-21T14:13:20.123Z',
      type: 'bind',
      address: '10.1.0.7',
      mac: '02:00:00:00:00:01',
      clientId: '01020304',
      toldUntil: 1790000000,
      leaseSeconds: 3600,
      hostname: 'vm',
      instance: 7,
    },
    expect.objectContaining({ type: 'free', address: '10.1.0.8' }),
  ]);
});

test('what no dhcpd wrote is passed over', () => {
  expect(
    eventsOf(
      '1-0',
      ['e', '{'].map((each) => Buffer.from(each)),
    ),
  ).toEqual([]);
  expect(eventsOf('1-0', null)).toEqual([]);
});
