import { describe, expect, test } from 'vitest';
import { mayTransfer, primaryOf } from '../../../../dns/transfer/permission.ts';
import { addressBytes } from '../../../../dns/transports/addresses.ts';
import { policyOf } from '../../../support/dns/transfer-rig.ts';

const policy = policyOf(['192.0.2.0/24', '2001:db8::/32'], ['one.example']);

describe('who may transfer a zone out', () => {
  test.each([
    ['192.0.2.7', undefined, true],
    ['192.0.3.7', undefined, false],
    ['::ffff:192.0.2.7', undefined, true],
    ['2001:db8::7', undefined, true],
    ['2001:db9::7', undefined, false],
    ['192.0.3.7', 'one.example', true],
    ['192.0.3.7', 'two.example', false],
    ['192.0.2.7', 'two.example', true],
  ])('%s with %s: %s', (client, key, expected) => {
    expect(mayTransfer(policy, addressBytes(client), key)).toBe(expected);
    expect(mayTransfer(policyOf([]), addressBytes(client), key)).toBe(false);
  });
});

describe('whose NOTIFY it is', () => {
  const primaries = [
    { from: '192.0.2.1:53' },
    { from: '[2001:db8::1]:5353', key: 'one.example' },
    { from: 'ns.example.com:53', key: 'two.example' },
  ];
  test.each([
    ['192.0.2.1', undefined, 0],
    ['2001:db8::1', undefined, 1],
    ['192.0.2.2', undefined, undefined],
    ['192.0.2.2', 'two.example', 2],
    ['192.0.2.1', 'one.example', 1],
    ['0.0.0.0', undefined, undefined],
  ])('%s with %s', (client, key, index) => {
    const expected = index === undefined ? undefined : primaries[index];
    expect(primaryOf(primaries, addressBytes(client), key)).toBe(expected);
  });
});
