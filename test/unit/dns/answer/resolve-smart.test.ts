import { describe, expect, test } from 'vitest';
import type { AliasTable } from '../../../../dns/answer/alias-table.ts';
import { prefixHash } from '../../../../dns/answer/prefix-hash.ts';
import type { SmartAnswer, SmartChoice } from '../../../../dns/policy/types.ts';
import { formatName } from '../../../../shared/dns/names.ts';
import { ask, imageOf, linesOf, nameOf, resolveOf } from '../../../support/dns/resolve-rig.ts';

// L2 to L4, A5 and A7: names that policy answers, by the client's line and prefix.

const [A, CNAME] = [1, 5];
/** Lines 1 and 2: the nested nets of conformance case 79, and one of IPv6. */
const lines = linesOf(['11.0.0.0/8', '2001:db8::/32'], ['11.1.2.0/24']);
const v4 = (...bytes: readonly number[]) => Uint8Array.of(...bytes);
const v6 = (start: readonly number[]) => Uint8Array.from({ length: 16 }, (_, at) => start[at] ?? 0);

const choice = (ttlSeconds: number, ...sets: readonly (readonly Uint8Array[])[]): SmartChoice => ({
  ttlSeconds,
  answers: sets.map((set) => [...set]),
  steps: [],
});
const byLine = (...choices: readonly SmartChoice[]): SmartAnswer => ({
  choiceOfLine: Uint16Array.from(choices, (_, line) => line),
  choices: [...choices],
});
/** Slot by slot one of 4 answers. */
const weighted: SmartChoice = {
  ...choice(20, [v4(10, 9, 9, 0)], [v4(10, 9, 9, 1)], [v4(10, 9, 9, 2)], [v4(10, 9, 9, 3)]),
  slots: Uint8Array.from({ length: 256 }, (_, slot) => slot & 3),
};

const smart: SmartAnswer[] = [
  byLine(
    choice(60, [v4(10, 0, 0, 0)]),
    choice(30, [v4(10, 0, 0, 1), v4(10, 0, 0, 11)]),
    choice(15, []),
  ),
  byLine(weighted, weighted, weighted),
  byLine(
    choice(60, [nameOf('www.example.')]),
    choice(60, [nameOf('cdn.elsewhere.')]),
    choice(60, []),
  ),
];
const named = (owner: string, type: number, index: number) => ({
  owner: nameOf(owner),
  type,
  index,
});

const image = imageOf(
  'example.',
  `$TTL 300
@ SOA ns host 1 2 3 4 120
@ NS ns
www A 192.0.2.80
www TXT "t"
static CNAME geo
mx MX 1 geo
`,
  [
    named('geo.example.', A, 0),
    named('weighted.example.', A, 1),
    named('go.example.', CNAME, 2),
    named('*.any.example.', A, 0),
  ],
);
const resolve = resolveOf([image], smart, lines);
const SOA = 'example. 120 SOA ns.example. host.example. 1 2 3 4 120';
const inLine1 = v4(11, 200, 3, 4);
const inLine2 = v4(11, 1, 2, 3);
const outside = v4(198, 51, 100, 1);

describe('L2, L3: the line and its scope', () => {
  test('the default line has its leaf’s depth, not 0', () => {
    const heard = ask(resolve, 'geo.example.', 'A', { client: outside, hasEcs: true });
    expect(heard.answer).toEqual(['geo.example. 60 A 10.0.0.0']);
    expect(heard.result).toMatchObject({ line: 0, scope: 1 });
  });

  test('a line’s own answers and TTL', () => {
    const heard = ask(resolve, 'geo.example.', 'A', { client: inLine1 });
    expect(heard.answer).toEqual(['geo.example. 30 A 10.0.0.1', 'geo.example. 30 A 10.0.0.11']);
    expect(heard.result.line).toBe(1);
    expect(heard.result.scope).toBeGreaterThanOrEqual(9);
  });

  test('a line without data: NODATA, with the line’s scope', () => {
    const heard = ask(resolve, 'geo.example.', 'A', { client: inLine2 });
    expect(heard).toMatchObject({ rcode: 'NOERROR', answer: [], authority: [SOA] });
    expect(heard.result).toMatchObject({ line: 2, scope: 24 });
  });

  test('IPv6 by its own tree', () => {
    const client = v6([0x20, 0x01, 0x0d, 0xb8, 1]);
    const heard = ask(resolve, 'geo.example.', 'A', { client });
    expect(heard.result).toMatchObject({ line: 1, scope: 32 });
  });

  test.each([
    ['www.example.', 'A'],
    ['geo.example.', 'AAAA'],
    ['no.example.', 'A'],
    ['mx.example.', 'MX'],
  ])('%s %s has nothing to do with lines: scope 0', (name, type) => {
    const heard = ask(resolve, name, type, { client: inLine2, hasEcs: true });
    expect(heard.result).toMatchObject({ line: -1, scope: 0 });
    expect(heard.additional).toEqual([]);
  });

  test('a CNAME that is not by line leads to one that is: its scope, with ECS too', () => {
    const heard = ask(resolve, 'static.example.', 'A', { client: inLine1, hasEcs: true });
    expect(heard.answer[0]).toBe('static.example. 300 CNAME geo.example.');
    expect(heard.answer).toHaveLength(3);
    expect(heard.result.line).toBe(1);
    expect(heard.result.scope).toBeGreaterThanOrEqual(9);
  });

  test('A3: a wildcard may be smart; ANY finds it too', () => {
    const heard = ask(resolve, 'x.y.any.example.', 'A', { client: outside });
    expect(heard.answer).toEqual(['x.y.any.example. 60 A 10.0.0.0']);
    expect(ask(resolve, 'geo.example.', 'ANY', { client: outside }).answer).toHaveLength(1);
  });

  test('an index that the state does not have is SERVFAIL', () => {
    const heard = ask(resolveOf([image], [], lines), 'geo.example.', 'A');
    expect(heard).toMatchObject({ rcode: 'SERVFAIL', aa: false, result: { scope: 0 } });
  });
});

describe('L4: slots', () => {
  test('one /24 has one answer, with scope 24, whatever the host', () => {
    for (let net = 0; net < 64; net++) {
      const told = [1, 77, 200].map((host) => {
        const client = v4(203, 0, net, host);
        const heard = ask(resolve, 'weighted.example.', 'A', { client });
        expect(heard.result.scope).toBe(24);
        return heard.answer[0];
      });
      expect(new Set(told).size).toBe(1);
      expect(told[0]).toMatch(new RegExp(`\\.${prefixHash(v4(203, 0, net, 0)) & 3}$`));
    }
  });

  test('one /56 of IPv6', () => {
    const client = (last: number) => v6([0x2a, 0, 1, 2, 3, 4, 5, last]);
    const [one, other] = [1, 200].map((last) =>
      ask(resolve, 'weighted.example.', 'A', { client: client(last) }),
    );
    expect(one?.answer).toEqual(other?.answer);
    expect(one?.result.scope).toBe(56);
  });

  test('slots are as good as even over neighbouring prefixes', () => {
    const counts = new Array<number>(256).fill(0);
    for (let net = 0; net < 65536; net++) {
      const slot = prefixHash(v4(10, net >> 8, net & 255, 9));
      counts[slot] = (counts[slot] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(150);
    expect(Math.max(...counts)).toBeLessThan(400);
  });

  test('the hash is what an XDP program computes too: fixed values', () => {
    const cases: [Uint8Array, number][] = [
      [v4(0, 0, 0, 0), 122],
      [v4(203, 0, 113, 77), 26],
      [v6([0x20, 0x01, 0x0d, 0xb8]), 148],
    ];
    for (const [address, slot] of cases) expect(prefixHash(address)).toBe(slot);
  });
});

describe('A5: a CNAME by line', () => {
  test('without ECS its chain follows', () => {
    const heard = ask(resolve, 'go.example.', 'A', { client: outside });
    expect(heard.answer).toEqual([
      'go.example. 60 CNAME www.example.',
      'www.example. 300 A 192.0.2.80',
    ]);
    expect(ask(resolve, 'go.example.', 'A', { client: inLine1 }).answer).toEqual([
      'go.example. 60 CNAME cdn.elsewhere.',
    ]);
  });

  test('with ECS it is alone (RFC 7871 §7.2.1)', () => {
    const heard = ask(resolve, 'go.example.', 'A', { client: outside, hasEcs: true });
    expect(heard.answer).toEqual(['go.example. 60 CNAME www.example.']);
    expect(heard.result.scope).toBeGreaterThan(0);
  });

  test('a line without a target has no data, of any type', () => {
    const heard = ask(resolve, 'go.example.', 'A', { client: inLine2 });
    expect(heard).toMatchObject({ rcode: 'NOERROR', answer: [], authority: [SOA] });
  });
});

describe('A7: ALIAS', () => {
  const zone = (target: string) =>
    imageOf(
      'alias.',
      `$TTL 300
@ SOA ns host 1 2 3 4 120
@ NS ns
@ ALIAS ${target}
@ TXT "t"
ns A 192.0.2.1
here A 192.0.2.2
here AAAA 2001:db8::2
hop 50 CNAME here
v4 A 192.0.2.4
sub NS ns.elsewhere.
*.w A 192.0.2.5
again ALIAS hop
only ALIAS here
l1 CNAME l2
l2 CNAME l1
`,
    );
  const known = (names: Record<string, Uint8Array[]>): AliasTable => ({
    find: (target, type) => {
      const addresses = names[`${formatName(target)} ${type}`];
      return addresses && { ttlSeconds: 33, addresses };
    },
  });
  const asking = (target: string, type = 'A', client = outside, table?: AliasTable) =>
    ask(resolveOf([zone(target), image], smart, lines, table), 'alias.', type, { client });
  const soa = 'alias. 120 SOA ns.alias. host.alias. 1 2 3 4 120';

  test.each([
    ['in the zone', 'here.alias.', 'A', ['alias. 300 A 192.0.2.2']],
    ['AAAA', 'here.alias.', 'AAAA', ['alias. 300 AAAA 2001:db8::2']],
    ['through a CNAME: the least TTL', 'hop.alias.', 'A', ['alias. 50 A 192.0.2.2']],
    ['through an alias', 'again.alias.', 'A', ['alias. 50 A 192.0.2.2']],
    ['by a wildcard', 'x.w.alias.', 'A', ['alias. 300 A 192.0.2.5']],
    ['in another zone', 'www.example.', 'A', ['alias. 300 A 192.0.2.80']],
    ['smart', 'geo.example.', 'A', ['alias. 60 A 10.0.0.0']],
    ['by a smart CNAME', 'go.example.', 'A', ['alias. 60 A 192.0.2.80']],
  ])('%s', (_, target, type, answer) => {
    expect(asking(target, type)).toMatchObject({ rcode: 'NOERROR', aa: true, answer });
  });

  test('the target’s line and scope, without data too', () => {
    expect(asking('geo.example.', 'A', inLine1).result.line).toBe(1);
    const none = asking('geo.example.', 'A', inLine2);
    expect(none).toMatchObject({ rcode: 'NOERROR', answer: [], authority: [soa] });
    expect(none.result).toMatchObject({ line: 2, scope: 24 });
  });

  test('a target without the type: no data', () => {
    expect(asking('v4.alias.', 'AAAA')).toMatchObject({ rcode: 'NOERROR', authority: [soa] });
  });

  test.each(['no.alias.', 'www.elsewhere.', 'x.sub.alias.', 'l1.alias.', 'alias.'])(
    '%s: no address is known of it: SERVFAIL',
    (target) => {
      const heard = asking(target);
      expect(heard).toMatchObject({ rcode: 'SERVFAIL', aa: false, answer: [], authority: [] });
    },
  );

  test('elsewhere: by the table, also below a cut of ours', () => {
    const table = known({
      'www.elsewhere. 1': [v4(203, 0, 113, 1), v4(203, 0, 113, 2)],
      'www.elsewhere. 28': [],
      'x.sub.alias. 1': [v4(203, 0, 113, 3)],
    });
    const found = asking('WWW.elsewhere.', 'A', outside, table);
    expect(found.answer).toEqual(['alias. 33 A 203.0.113.1', 'alias. 33 A 203.0.113.2']);
    expect(asking('www.elsewhere.', 'AAAA', outside, table).authority).toEqual([soa]);
    expect(asking('x.sub.alias.', 'A', outside, table).answer).toHaveLength(1);
  });

  test('other types are the name’s own; the ALIAS itself is never told', () => {
    expect(asking('here.alias.', 'TXT').answer).toEqual(['alias. 300 TXT "t"']);
    expect(asking('here.alias.', 'TYPE65401')).toMatchObject({ answer: [], authority: [soa] });
    expect(asking('here.alias.', 'ANY').answer).toEqual(['alias. 300 NS ns.alias.']);
    const resolver = resolveOf([zone('here.alias.')]);
    expect(ask(resolver, 'only.alias.', 'ANY').answer).toEqual(['only.alias. 300 A 192.0.2.2']);
  });
});
