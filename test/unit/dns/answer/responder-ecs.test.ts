import { describe, expect, test } from 'vitest';
import { bytesOf, ecsHex, optHex, queryHex, questionHex } from './packets.ts';
import { ask, exchangeOf, outcomes, recordHex, responderOf, stateOf } from './rig.ts';

// NESTED of rig.ts: a has 11.0.0.0/8 and 2001:db8::/32, b has 11.1.2.0/24 and 10.9.0.0/16.
const smart = questionHex('smart.example.com');
/** Of line b. */
const resolver = Uint8Array.of(11, 1, 2, 53);

type Case = {
  what: string;
  family: number;
  source: number;
  address: string;
  line: number;
  scope: number;
};

const good: Case[] = [
  { what: '79 within the outer net', family: 1, source: 24, address: '0b0103', line: 1, scope: 24 },
  { what: '79 in the inner one', family: 1, source: 24, address: '0b0102', line: 2, scope: 24 },
  {
    what: '79 far from the inner one',
    family: 1,
    source: 24,
    address: '0b8000',
    line: 1,
    scope: 9,
  },
  { what: '79 in none', family: 1, source: 24, address: 'c80000', line: 0, scope: 1 },
  { what: 'all bits', family: 1, source: 32, address: '0b010207', line: 2, scope: 24 },
  { what: 'fewer bits than the leaf has', family: 1, source: 8, address: '0b', line: 1, scope: 16 },
  { what: 'bits that are no bytes', family: 1, source: 21, address: '0b0100', line: 1, scope: 23 },
  { what: '76 no bits: who asks decides', family: 1, source: 0, address: '', line: 2, scope: 0 },
  { what: '76 no bits, IPv6', family: 2, source: 0, address: '', line: 2, scope: 0 },
  { what: '71 family 0, no bits', family: 0, source: 0, address: '', line: 2, scope: 0 },
  { what: 'IPv6', family: 2, source: 56, address: '20010db8000000', line: 1, scope: 32 },
  {
    what: '81 mapped',
    family: 2,
    source: 120,
    address: '00000000000000000000ffff0b0102',
    line: 2,
    scope: 120,
  },
  {
    what: '81 NAT64',
    family: 2,
    source: 128,
    address: '0064ff9b00000000000000000b800001',
    line: 1,
    scope: 96 + 9,
  },
  { what: '81 6to4', family: 2, source: 48, address: '20020b010200', line: 2, scope: 16 + 24 },
  {
    what: '81 6to4, more bits',
    family: 2,
    source: 56,
    address: '20020b01020500',
    line: 2,
    scope: 40,
  },
  {
    what: '81 Teredo, whose last 32 bits are turned',
    family: 2,
    source: 128,
    address: '20010000c000020100000000f4fefdf8',
    line: 2,
    scope: 96 + 24,
  },
  {
    what: 'Teredo without its client: who asks decides',
    family: 2,
    source: 56,
    address: '20010000c00002',
    line: 2,
    scope: 96,
  },
  { what: '6to4 without its client', family: 2, source: 16, address: '2002', line: 2, scope: 16 },
  {
    what: '77 private: who asks decides',
    family: 1,
    source: 24,
    address: 'c0a801',
    line: 2,
    scope: 16,
  },
  {
    what: '77 private, in a longer leaf',
    family: 1,
    source: 24,
    address: '0a0801',
    line: 2,
    scope: 16,
  },
  {
    what: '77 private, which a list names',
    family: 1,
    source: 24,
    address: '0a0901',
    line: 2,
    scope: 16,
  },
  { what: 'half of all, not 0.0.0.0/8', family: 1, source: 1, address: '00', line: 0, scope: 5 },
  { what: '192.0.0.0/4, not /24', family: 1, source: 4, address: 'c0', line: 0, scope: 1 },
  { what: '2001::/16, not Teredo', family: 2, source: 16, address: '2001', line: 0, scope: 21 },
  { what: '77 loopback', family: 1, source: 32, address: '7f000001', line: 2, scope: 8 },
  { what: '77 multicast', family: 1, source: 8, address: 'e0', line: 2, scope: 3 },
  { what: '77 unique local', family: 2, source: 48, address: 'fd0000000001', line: 2, scope: 3 },
  { what: '77 link-local', family: 2, source: 64, address: 'fe80000000000000', line: 2, scope: 3 },
  { what: '77 loopback of IPv6', family: 2, source: 8, address: '00', line: 2, scope: 3 },
  {
    what: '77 private within NAT64',
    family: 2,
    source: 120,
    address: '0064ff9b0000000000000000c0a801',
    line: 2,
    scope: 96 + 16,
  },
];

describe('E5, L1 and L2', () => {
  test.each(good)('$what', ({ family, source, address, line, scope }) => {
    const responder = responderOf();
    const query = queryHex(
      { question: smart },
      optHex({ options: ecsHex(family, source, address) }),
    );
    const echoed = optHex({ options: ecsHex(family, source, address, scope) });
    expect(ask(responder, query, exchangeOf({ client: resolver }))).toBe(
      `123485000001000100000001${smart}${recordHex(1, `0a00000${line}`)}${echoed}`,
    );
  });

  test.each([
    { what: '70 a scope', option: ecsHex(1, 24, '0b0102', 24) },
    { what: '71 family 3', option: ecsHex(3, 24, '0b0102') },
    { what: '71 family 3 without bits', option: ecsHex(3, 0, '') },
    { what: '71 family 0 with bits', option: ecsHex(0, 8, '0b') },
    { what: '72 /33', option: ecsHex(1, 33, '0b01020300') },
    { what: '72 /129', option: ecsHex(2, 129, '20'.repeat(17)) },
    { what: '73 a byte too many', option: ecsHex(1, 24, '0b010200') },
    { what: '73 a byte without bits', option: ecsHex(1, 0, '00') },
    { what: '74 a byte too few', option: ecsHex(1, 24, '0b01') },
    { what: '74 three bytes in all', option: '00080003000118' },
    { what: '74 nothing', option: '00080000' },
    { what: '75 bits beyond /23', option: ecsHex(1, 23, '0b0101') },
    { what: '75 bits beyond /57', option: ecsHex(2, 57, '20010db800000040') },
  ])('$what: FORMERR', ({ option }) => {
    const responder = responderOf();
    const query = queryHex({ question: smart }, optHex({ options: option }));
    expect(ask(responder, query)).toBe(`123481010001000000000001${smart}${optHex()}`);
    expect(outcomes(responder)).toEqual(['formerr-ecs']);
  });

  test.each(['www', 'no', 'cut', 'crash', 'big'])('78, 83 %s has scope 0', (name) => {
    const options = ecsHex(1, 24, '0b0102');
    const question = questionHex(`${name}.example.com`);
    const answer = ask(responderOf(), queryHex({ question }, optHex({ options })));
    expect(answer.endsWith(optHex({ options }))).toBe(true);
  });

  test('off, it is an option that nobody knows', () => {
    const responder = responderOf(stateOf({ ecs: false }));
    const options = ecsHex(3, 99, '0b');
    const query = queryHex({ question: smart }, optHex({ options }));
    const answer = `${recordHex(1, '0a000002')}${optHex()}`;
    expect(ask(responder, query, exchangeOf({ client: resolver }))).toBe(
      `123485000001000100000001${smart}${answer}`,
    );
  });

  test.each([
    ['0b010205', 2],
    ['0b010305', 1],
    ['08080808', 0],
    ['00000000000000000000ffff0b010205', 2],
    ['0064ff9b00000000000000000b010205', 2],
    ['20020b0102050000000000000000 0001', 2],
    ['20010000c000020100000000f4fefdf8', 2],
    ['20010db8000000000000000000000001', 1],
    ['fd000000000000000000000000000001', 0],
    // Who asks is believed: nothing else is known.
    ['c0a80101', 0],
  ])('without it who asks decides: %s', (client, line) => {
    const responder = responderOf();
    const exchange = exchangeOf({ client: bytesOf(client) });
    const answer = ask(responder, queryHex({ question: smart }), exchange);
    expect(answer.endsWith(`0a00000${line}`)).toBe(true);
  });

  test('no two scopes overlap, wherever a client is', () => {
    const responder = responderOf();
    const seen = new Map<string, number>();
    for (let value = 0; value < 65_536; value += 7) {
      const address = `0b${value.toString(16).padStart(4, '0')}`;
      const query = queryHex({ question: smart }, optHex({ options: ecsHex(1, 24, address) }));
      const answer = bytesOf(ask(responder, query));
      const scope = answer.at(-4) ?? 0;
      const line = answer[12 + smart.length / 2 + 15] ?? 0;
      const prefix = (Number.parseInt(`${address}00`, 16) >>> (32 - scope)).toString(2);
      const key = prefix.padStart(scope, '0');
      expect(seen.get(key) ?? line).toBe(line);
      seen.set(key, line);
    }
    const prefixes = [...seen.keys()].sort();
    for (const [index, prefix] of prefixes.entries()) {
      expect(prefixes[index + 1]?.startsWith(prefix) ?? false, prefix).toBe(false);
    }
    expect(prefixes.length).toBeGreaterThan(10);
  });
});
