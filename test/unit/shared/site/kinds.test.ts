// Stored objects: every kind reads what it writes, and refuses the rest with a reason.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseIpv4 } from '../../../../shared/net/ipv4.ts';
import { formatObject, isOfNewerKind, parseObject } from '../../../../shared/site/kinds.ts';
import { anySiteObject } from '../../../support/site-objects.ts';

test('parse after format is the identity, for any object', () => {
  fc.assert(
    fc.property(anySiteObject, (item) => {
      expect(parseObject(formatObject(item))).toEqual(item);
    }),
    { numRuns: 2000 },
  );
});

test('stored values are canonical JSON: keys sorted, nothing that is not said', () => {
  fc.assert(
    fc.property(anySiteObject, (item) => {
      const { value } = formatObject(item);
      const parsed: Record<string, unknown> = JSON.parse(value);
      const keys = Object.keys(parsed);
      expect(keys).toEqual(keys.toSorted());
      expect(JSON.stringify(parsed)).toBe(value);
    }),
  );
});

test.each([
  [
    'eip',
    '198.51.100.7',
    '{"burst":262144,"group":"gold","in":100000000,"out":50000000,"private":"10.0.0.5"}',
  ],
  ['eip', '198.51.100.7', '{}'],
  ['forward', '198.51.100.8:443/tcp', '{"to":"10.0.0.6:8443"}'],
  ['forward', '198.51.100.8:8000-8099/udp', '{"to":"10.0.0.6:9000"}'],
  ['group', 'gold', '{"burst":1048576,"in":1000000000,"out":1000000000}'],
  ['node', 'natter-1', '{"drain":true}'],
])('as written in docs/contracts.md: %s %s %s', (kind, id, value) => {
  const item = parseObject({ kind, id, value });
  if ('reasons' in item) throw new Error(item.reasons.join());
  expect(formatObject(item)).toEqual({ kind, id, value });
});

describe('refused', () => {
  test.each([
    ['eip', '198.51.100.7', 'nonsense', 'eip 198.51.100.7: the stored value is not a JSON object'],
    ['eip', '198.51.100.7', '[]', 'not a JSON object'],
    ['eip', '198.51.100.7', 'null', 'not a JSON object'],
    ['eip', '198.51.100.007', '{}', 'the id is not the IPv4 address of a host'],
    ['eip', '224.0.0.1', '{}', 'the id is not the IPv4 address of a host'],
    ['eip', '127.0.0.1', '{}', 'the id is not the IPv4 address of a host'],
    ['eip', '0.0.0.0', '{}', 'the id is not the IPv4 address of a host'],
    ['eip', '198.51.100.7', '{"private":"10.0.0.256"}', 'private is "10.0.0.256"'],
    ['eip', '198.51.100.7', '{"private":167772165}', 'private is 167772165'],
    ['eip', '198.51.100.7', '{"private":"198.51.100.7"}', 'private is the EIP itself'],
    ['eip', '198.51.100.7', '{"in":999}', 'in is 999, not a whole number from 1000'],
    ['eip', '198.51.100.7', '{"in":1000.5}', 'in is 1000.5'],
    ['eip', '198.51.100.7', '{"in":"100mbit"}', 'in is "100mbit"'],
    ['eip', '198.51.100.7', '{"out":1000000000001}', 'out is 1000000000001'],
    ['eip', '198.51.100.7', '{"burst":65536}', 'a burst without a limit'],
    ['eip', '198.51.100.7', '{"in":1000,"burst":2047}', 'burst is 2047'],
    ['eip', '198.51.100.7', '{"group":"-gold"}', 'group is "-gold", not a name'],
    ['eip', '198.51.100.7', '{"privat":"10.0.0.5"}', 'unknown key "privat"'],
    ['eip', '198.51.100.7', '{"__proto__":{"private":"10.0.0.5"}}', 'unknown key "__proto__"'],
    ['forward', '198.51.100.8:443', '{"to":"10.0.0.6:8443"}', 'the id is not like'],
    ['forward', '198.51.100.8:443/icmp', '{"to":"10.0.0.6:8443"}', 'the id is not like'],
    ['forward', '198.51.100.8:0/tcp', '{"to":"10.0.0.6:8443"}', 'the id is not like'],
    ['forward', '198.51.100.8:443-443/tcp', '{"to":"10.0.0.6:8443"}', 'the id is not like'],
    ['forward', '198.51.100.8:90-80/tcp', '{"to":"10.0.0.6:8443"}', 'the id is not like'],
    ['forward', '198.51.100.8:443/tcp', '{"to":"10.0.0.6"}', 'to is not like 10.0.0.6:8443'],
    ['forward', '198.51.100.8:443/tcp', '{"to":"10.0.0.6:65536"}', 'to is not like'],
    ['forward', '198.51.100.8:443/tcp', '{}', 'to is not like'],
    ['forward', '198.51.100.8:443/tcp', '{"to":"198.51.100.8:80"}', 'leads to its own EIP'],
    ['forward', '198.51.100.8:1-100/tcp', '{"to":"10.0.0.6:65500"}', 'end at port 65599'],
    ['group', 'gold', '{}', 'a group without a limit'],
    ['group', 'g:ld', '{"in":1000}', 'the id is not a name'],
    ['node', 'natter-1', '{"drain":1}', 'drain is 1, not true or false'],
    ['balancer', 'x', '{}', 'there are no objects of kind "balancer"'],
  ])('%s %s %s', (kind, id, value, reason) => {
    const item = parseObject({ kind, id, value });
    expect('reasons' in item ? item.reasons.join() : item).toContain(reason);
  });

  test.each([
    ['{"private":"10.0.0.5","v":2,"colour":"red"}', { private: parseIpv4('10.0.0.5') }],
    ['{"private":"x","v":2}', undefined],
    ['{"private":"10.0.0.5","v":1,"colour":"red"}', undefined],
    ['{"private":"10.0.0.5","v":"2","colour":"red"}', undefined],
  ])('what is unknown in %s is ignored only when its writer says so', (value, expected) => {
    const item = parseObject({ kind: 'eip', id: '198.51.100.7', value });
    if (expected === undefined) expect(item).toHaveProperty('reasons');
    else expect(item).toMatchObject({ object: expected });
  });

  test.each([
    ['balancer', '{"v":2}', true],
    ['balancer', '{"v":1}', false],
    ['balancer', 'v', false],
    ['eip', '{"v":2}', false],
  ])('a kind %s with value %s is of a newer version: %s', (kind, value, expected) => {
    expect(isOfNewerKind({ kind, id: 'x', value })).toBe(expected);
  });

  test('with every reason at once', () => {
    const item = parseObject({
      kind: 'eip',
      id: '198.51.100.7',
      value: '{"a":1,"in":1,"private":"x"}',
    });
    expect('reasons' in item ? item.reasons : []).toHaveLength(3);
  });

  test('never by throwing, whatever stands in the store', () => {
    const kind = fc.constantFrom('eip', 'forward', 'group', 'node', 'other');
    fc.assert(
      fc.property(kind, fc.string(), fc.oneof(fc.string(), fc.json()), (of, id, value) => {
        const item = parseObject({ kind: of, id, value });
        if ('reasons' in item) expect(item.reasons).not.toHaveLength(0);
        else expect(formatObject(item).id).toBe(id);
      }),
      { numRuns: 2000 },
    );
  });
});
