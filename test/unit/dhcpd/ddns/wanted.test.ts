// Which names changes of leases ask for: case tables.
import { describe, expect, test } from 'vitest';
import { rowsOf } from '../../../../dhcpd/ddns/records.ts';
import {
  labelOf,
  merged,
  type NameChange,
  namedBy,
  zonesOf,
} from '../../../../dhcpd/ddns/wanted.ts';
import { bindItem } from '../../../../dhcpd/leases/items.ts';
import { packItems } from '../../../../dhcpd/leases/packed.ts';
import { encodeRecord, packKey } from '../../../../dhcpd/leases/record.ts';
import { CODE, type LeaseEvent, STATE } from '../../../../dhcpd/leases/types.ts';
import { ip, simplePlan } from '../../../support/dhcp/simple-plan.ts';

const ZONE = 'vm.example';
const UNTIL = 1_790_000_000;
const OWNER = { by: 'mac', mac: Uint8Array.of(2, 0, 0, 0, 0, 5) } as const;
const plan = simplePlan({
  subnets: [
    { prefix: '10.1.0.0/24', ddnsZone: ZONE },
    { prefix: '10.2.0.0/24', ddnsZone: ZONE },
    { prefix: '10.3.0.0/24' },
  ],
  reservations: [
    { at: '10.1.0.5', ...OWNER, hostname: 'printer' },
    { at: '10.1.0.6', ...OWNER, hostname: 'wpad' },
    { at: '10.1.0.8', ...OWNER },
  ],
});

type Said = { at?: string; code?: number; event?: Partial<LeaseEvent> | null };

function named({ at = '10.1.0.7', code = CODE.done, event = {} }: Said) {
  const address = ip(at);
  const packedKey = packKey(Uint8Array.of(1, 0xaa));
  const fields = { state: STATE.bound, generation: 3, toldUntil: UNTIL, packedKey };
  const record = encodeRecord(fields);
  const whole: LeaseEvent = { type: 'bind', mac: '', keyHex: '01aa', ...event };
  const item = { op: 'bind', address, record, seconds: 0 } as const;
  const asked = event === null ? item : { ...item, event: whole };
  return namedBy(plan, asked, { code, record });
}

const holder = { untilSeconds: UNTIL, generation: 3, key: '01aa' };
const place = { zone: ZONE, address: ip('10.1.0.7') };
const refused = { ...place, op: 'remove', generation: 4 };

describe('a change of a lease', () => {
  test.each([
    {
      what: 'a name that is said is set, in lower case',
      said: { event: { hostname: 'Web-1' } },
      change: { ...place, ...holder, op: 'set', name: 'web-1', reserved: false },
    },
    {
      what: 'a renewal sets it again',
      said: { event: { type: 'renew', hostname: 'web-1' } },
      change: { ...place, ...holder, op: 'set', name: 'web-1', reserved: false },
    },
    {
      what: 'none said: what there is stays',
      said: {},
      change: { ...place, ...holder, op: 'keep' },
    },
    {
      what: 'a release takes it away, by its generation',
      said: { event: { type: 'release' } },
      change: { ...place, op: 'remove', generation: 3 },
    },
    {
      what: 'a decline does',
      said: { event: { type: 'decline' } },
      change: { ...place, op: 'remove', generation: 3 },
    },
    {
      what: "so does an operator's free",
      said: { event: { type: 'free' } },
      change: { ...place, op: 'remove', generation: 3 },
    },
    {
      what: "a reservation's name is reserved",
      said: { at: '10.1.0.5', event: { hostname: 'printer' } },
      change: {
        ...{ ...place, address: ip('10.1.0.5'), ...holder, op: 'set' },
        ...{ name: 'printer', reserved: true },
      },
    },
    {
      what: 'a reservation may have a name that is trusted',
      said: { at: '10.1.0.6', event: { hostname: 'wpad' } },
      change: {
        ...{ ...place, address: ip('10.1.0.6'), ...holder, op: 'set' },
        ...{ name: 'wpad', reserved: true },
      },
    },
    {
      what: 'a reservation without a name: the client says one',
      said: { at: '10.1.0.8', event: { hostname: 'x' } },
      change: {
        ...{ ...place, address: ip('10.1.0.8'), ...holder, op: 'set' },
        ...{ name: 'x', reserved: false },
      },
    },
    {
      what: "another's reserved name is refused, in every subnet of the zone",
      said: { at: '10.2.0.7', event: { hostname: 'PRINTER' } },
      change: { ...refused, address: ip('10.2.0.7') },
      why: 'reserved',
    },
    { what: 'wpad', said: { event: { hostname: 'wpad' } }, change: refused, why: 'unfit' },
    { what: 'ISATAP', said: { event: { hostname: 'ISATAP' } }, change: refused, why: 'unfit' },
    {
      what: 'localhost with a domain',
      said: { event: { hostname: 'localhost.lan' } },
      change: refused,
      why: 'unfit',
    },
    { what: 'no label', said: { event: { hostname: 'a_b' } }, change: refused, why: 'unfit' },
    {
      what: 'a client that wants no name in dns',
      said: { event: { hostname: 'web', noName: true as const } },
      change: refused,
      why: 'unwanted',
    },
  ])('$what', ({ said, change, why }) => {
    const found = named(said as Said);
    expect(found?.change).toEqual(change);
    expect(found?.why).toBe(why);
  });

  test.each([
    { what: 'in a subnet without a zone', said: { at: '10.3.0.7', event: { hostname: 'x' } } },
    { what: 'in no subnet', said: { at: '192.0.2.7', event: { hostname: 'x' } } },
    { what: 'that was refused', said: { code: CODE.taken, event: { hostname: 'x' } } },
    { what: 'that is no event (a reserve)', said: { event: null } },
  ])('is about no name: $what', ({ said }) => {
    expect(named(said)).toBeUndefined();
  });

  test('a wish not to be named goes along with the item', () => {
    const client = { key: Uint8Array.of(1, 2), htype: 1, chaddr: new Uint8Array(6) };
    const want = { client, address: ip('10.1.0.7'), leaseSeconds: 60, offered: false };
    const item = bindItem({ ...want, noName: true, details: { hostname: 'web' } }, 7, 'bind');
    expect(item.event).toMatchObject({ hostname: 'web', noName: true });
    expect(packItems([item], () => 0).toString('latin1')).not.toContain('noName');
    expect(bindItem(want, 7, 'bind').event).not.toHaveProperty('noName');
  });

  test('zones, each once', () => expect(zonesOf(plan)).toEqual([ZONE]));
});

test.each([
  ['web', 'web'],
  ['WEB.corp.example', 'web'],
  ['a'.repeat(63), 'a'.repeat(63)],
  ['7', '7'],
  ['a'.repeat(64), undefined],
  ['', undefined],
  ['.', undefined],
  ['@', undefined],
  ['-web', undefined],
  ['web-', undefined],
  ['we b', undefined],
  ['müller', undefined],
  ['*', undefined],
])('the label of %j is %j', (hostname, label) => expect(labelOf(hostname)).toBe(label));

describe('what waits and what comes next', () => {
  const set: NameChange = { ...place, ...holder, op: 'set', name: 'a', reserved: false };
  const keep: NameChange = { ...place, ...holder, op: 'keep', untilSeconds: UNTIL + 9 };
  const gone: NameChange = { ...place, op: 'remove', generation: 4 };
  const other: NameChange = { ...keep, key: '01bb' };
  test.each([
    { what: 'nothing waited', before: undefined, after: keep, whole: keep },
    {
      what: 'kept after set',
      before: set,
      after: keep,
      whole: { ...set, untilSeconds: UNTIL + 9 },
    },
    { what: 'kept after gone', before: gone, after: keep, whole: gone },
    { what: 'kept after kept', before: keep, after: other, whole: other },
    {
      what: 'another client says none',
      before: set,
      after: other,
      whole: { ...place, op: 'remove', generation: 2 ** 32 },
    },
    { what: 'gone after set', before: set, after: gone, whole: gone },
    { what: 'set after gone', before: gone, after: set, whole: set },
  ])('$what', ({ before, after, whole }) => expect(merged(before, after)).toEqual(whole));
});

test('what no dhcpd wrote is no name', () => {
  const good = '{"address":"10.1.0.7","until":5,"reserved":true,"key":"01","generation":1}';
  expect(rowsOf(['a', good, 'b', '{', 'c', 'null', 'd', '{"address":"10.1.0.8"}'])).toEqual([
    { name: 'a', address: '10.1.0.7', until: 5, reserved: true },
  ]);
});
