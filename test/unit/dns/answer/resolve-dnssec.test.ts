import { describe, expect, test } from 'vitest';
import type { Resolve } from '../../../../dns/answer/query-types.ts';
import { buildImage } from '../../../../dns/image/build.ts';
import { ask, nameOf, recordsOfText, resolveOf } from '../../../support/dns/resolve-rig.ts';
import { type Nsec3Options, signed } from '../../../support/dns/sign.ts';

// A11 by the zones and examples of RFC 4035 (appendices A and B) and RFC 5155 (appendices A and B):
// which records an answer has. Signatures are not real, so of RRSIGs only what they cover counts.

const common = `$TTL 3600
@ SOA ns1 bugs.x.w 1081539377 3600 300 3600000 3600
@ NS ns1
@ NS ns2
@ MX 1 xx
a NS ns1.a
a NS ns2.a
a DS 57855 5 1 B6DCD485719ADCA18E5F3D48A2331627FDD3636B
ns1.a A 192.0.2.5
ns2.a A 192.0.2.6
ai A 192.0.2.9
ai HINFO "KLH-10" "ITS"
ai AAAA 2001:db8::f00:baa9
ns1 A 192.0.2.1
ns2 A 192.0.2.2
*.w MX 1 ai
x.w MX 1 xx
x.y.w MX 1 xx
xx A 192.0.2.10
xx HINFO "KLH-10" "TOPS-20"
xx AAAA 2001:db8::f00:baaa
`;
const unsigned = (name: string) => `${name} NS ns1.${name}
${name} NS ns2.${name}
ns1.${name} A 192.0.2.7
ns2.${name} A 192.0.2.8
`;

function serve(text: string, nsec3?: Nsec3Options): { resolve: Resolve; warnings: string[] } {
  const origin = nameOf('example.');
  const warnings: string[] = [];
  const records = signed(recordsOfText('example.', text), origin, nsec3);
  const image = buildImage({ origin, records, smart: [] }, (warning) => warnings.push(warning));
  return { resolve: resolveOf([image]), warnings };
}

/** Owners and types of a section; of NSEC3 only the hash, of an RRSIG what it covers. */
function brief(section: readonly string[]): string[] {
  return section.map((line) => {
    const [owner = '', , type = '', covered] = line.split(' ');
    const name = owner.replace(/^([0-9a-v]{32})\.example\.$/, '$1');
    return type === 'RRSIG' ? `${name} RRSIG ${covered}` : `${name} ${type}`;
  });
}

type Case = {
  what: string;
  name: string;
  type: string;
  rcode?: string;
  aa?: boolean;
  answer?: string[];
  authority?: string[];
  additional?: string[];
};
const SOA = ['example. SOA', 'example. RRSIG SOA'];
const nsecs = (...owners: readonly string[]) =>
  owners.flatMap((owner) => [`${owner} NSEC`, `${owner} RRSIG NSEC`]);
const nsec3s = (...owners: readonly string[]) =>
  owners.flatMap((owner) => [`${owner} NSEC3`, `${owner} RRSIG NSEC3`]);

function check(resolve: Resolve, each: Case): void {
  const heard = ask(resolve, each.name, each.type, { dnssecOk: true });
  expect({
    rcode: heard.rcode,
    aa: heard.aa,
    answer: brief(heard.answer),
    authority: brief(heard.authority),
    additional: brief(heard.additional),
  }).toEqual({
    rcode: each.rcode ?? 'NOERROR',
    aa: each.aa ?? true,
    answer: each.answer ?? [],
    authority: each.authority ?? [],
    additional: each.additional ?? [],
  });
}

const xxAddresses = [
  'xx.example. A',
  'xx.example. RRSIG A',
  'xx.example. AAAA',
  'xx.example. RRSIG AAAA',
];
const aiAddresses = xxAddresses.map((line) => line.replace('xx', 'ai'));

describe('A11 with NSEC: RFC 4035 appendix B', () => {
  const { resolve, warnings } = serve(common + unsigned('b'));
  const cases: Case[] = [
    {
      what: 'B.1 answer',
      name: 'x.w.example.',
      type: 'MX',
      answer: ['x.w.example. MX', 'x.w.example. RRSIG MX'],
      additional: xxAddresses,
    },
    {
      what: 'B.2 name error',
      name: 'ml.example.',
      type: 'A',
      rcode: 'NXDOMAIN',
      authority: [...SOA, ...nsecs('b.example.', 'example.')],
    },
    {
      what: 'B.3 no data',
      name: 'ns1.example.',
      type: 'MX',
      authority: [...SOA, ...nsecs('ns1.example.')],
    },
    {
      what: 'B.4 referral to a signed zone',
      name: 'mc.a.example.',
      type: 'MX',
      aa: false,
      authority: ['a.example. NS', 'a.example. NS', 'a.example. DS', 'a.example. RRSIG DS'],
      additional: ['ns1.a.example. A', 'ns2.a.example. A'],
    },
    {
      what: 'B.5 referral to an unsigned zone',
      name: 'mc.b.example.',
      type: 'MX',
      aa: false,
      authority: ['b.example. NS', 'b.example. NS', ...nsecs('b.example.')],
      additional: ['ns1.b.example. A', 'ns2.b.example. A'],
    },
    {
      what: 'B.6 wildcard expansion',
      name: 'a.z.w.example.',
      type: 'MX',
      answer: ['a.z.w.example. MX', 'a.z.w.example. RRSIG MX'],
      authority: nsecs('x.y.w.example.'),
      additional: aiAddresses,
    },
    {
      what: 'B.7 wildcard, no data',
      name: 'a.z.w.example.',
      type: 'AAAA',
      authority: [...SOA, ...nsecs('x.y.w.example.', '*.w.example.')],
    },
    {
      what: 'B.8 DS of the zone itself',
      name: 'example.',
      type: 'DS',
      authority: [...SOA, ...nsecs('example.')],
    },
    {
      what: 'an empty non-terminal: the NSEC before it spans it',
      name: 'w.example.',
      type: 'A',
      authority: [...SOA, ...nsecs('ns2.example.')],
    },
    {
      what: 'DS of an unsigned cut: its NSEC has none',
      name: 'b.example.',
      type: 'DS',
      authority: [...SOA, ...nsecs('b.example.')],
    },
    {
      what: 'one NSEC that proves both is there once',
      name: 'a.a.xx.example.',
      type: 'A',
      rcode: 'NXDOMAIN',
      authority: [...SOA, ...nsecs('xx.example.')],
    },
    {
      what: 'A8: ANY has one RRset with its RRSIG',
      name: 'ai.example.',
      type: 'ANY',
      answer: ['ai.example. A', 'ai.example. RRSIG A'],
    },
    {
      what: 'RRSIG: those of all RRsets',
      name: 'ns1.example.',
      type: 'RRSIG',
      answer: ['ns1.example. RRSIG A', 'ns1.example. RRSIG NSEC'],
    },
  ];
  test.each(cases)('$what: $name $type', (each) => check(resolve, each));

  test('nothing to warn of', () => expect(warnings).toEqual([]));

  test('without DO there are neither RRSIGs nor proofs', () => {
    const heard = ask(resolve, 'ml.example.', 'A');
    expect(brief(heard.authority)).toEqual(['example. SOA']);
    expect(brief(ask(resolve, 'a.z.w.example.', 'MX').authority)).toEqual([]);
  });
});

describe('A11 with NSEC3 and opt-out: RFC 5155 appendix B', () => {
  const shared = '2t7b4g4vsa5smi47k61mv5bv1a22bojr A 192.0.2.127\n';
  const { resolve, warnings } = serve(common + unsigned('c') + shared, {
    salt: 'aabbccdd',
    iterations: 12,
    optOut: true,
  });
  const apex = '0p9mhaveqvm6t7vbl5lop2u3t2rp3tom';
  const a = '35mthgpgcu1qg68fab165klnsnk3dpvl';
  const ns1 = '2t7b4g4vsa5smi47k61mv5bv1a22bojr';
  const ns2 = 'q04jkcevqvmu85r014c7dkba38o0ji5r';
  const w = 'k8udemvp1j2f7eg6jebps17vp3n8i58h';
  const anyW = 'r53bq7cc2uvmubfu5ocmm6pers9tk9en';
  const xW = 'b4um86eghhds6nea196smvmlo4ors995';
  const yW = 'ji6neoaepv8b5o6k4ev33abha8ht9fgc';
  const cases: Case[] = [
    {
      what: 'B.1 name error',
      name: 'a.c.x.w.example.',
      type: 'A',
      rcode: 'NXDOMAIN',
      authority: [...SOA, ...nsec3s(xW, apex, a)],
    },
    {
      what: 'B.2 no data',
      name: 'ns1.example.',
      type: 'MX',
      authority: [...SOA, ...nsec3s(ns1)],
    },
    {
      what: 'B.2.1 no data, empty non-terminal',
      name: 'y.w.example.',
      type: 'A',
      authority: [...SOA, ...nsec3s(yW)],
    },
    {
      what: 'B.3 referral to an opted-out zone',
      name: 'mc.c.example.',
      type: 'MX',
      aa: false,
      authority: ['c.example. NS', 'c.example. NS', ...nsec3s(apex, a)],
      additional: ['ns1.c.example. A', 'ns2.c.example. A'],
    },
    {
      what: 'B.4 wildcard expansion',
      name: 'a.z.w.example.',
      type: 'MX',
      answer: ['a.z.w.example. MX', 'a.z.w.example. RRSIG MX'],
      authority: nsec3s(ns2),
      additional: aiAddresses,
    },
    {
      what: 'B.5 wildcard, no data',
      name: 'a.z.w.example.',
      type: 'AAAA',
      authority: [...SOA, ...nsec3s(w, ns2, anyW)],
    },
    {
      what: 'B.6 DS of the zone itself',
      name: 'example.',
      type: 'DS',
      authority: [...SOA, ...nsec3s(apex)],
    },
    {
      what: 'DS of an opted-out cut: its closest provable encloser',
      name: 'c.example.',
      type: 'DS',
      authority: [...SOA, ...nsec3s(apex, a)],
    },
    {
      what: 'a name that an NSEC3 shares is a name',
      name: `${ns1}.example.`,
      type: 'A',
      answer: [`${ns1} A`, `${ns1} RRSIG A`],
    },
  ];
  test.each(cases)('$what: $name $type', (each) => check(resolve, each));

  test('§7.2.8: the owner of an NSEC3 is no name', () => {
    const heard = ask(resolve, `${apex}.example.`, 'NSEC3', { dnssecOk: true });
    expect(heard.rcode).toBe('NXDOMAIN');
    expect(heard.answer).toEqual([]);
  });

  test('nothing to warn of', () => expect(warnings).toEqual([]));
});

describe('A11: what a chain has to be', () => {
  const options = { salt: '', iterations: 0, optOut: false };

  test('RFC 9276: more than 100 iterations are not used, and that is said', () => {
    const { resolve, warnings } = serve(common, { ...options, iterations: 101 });
    expect(warnings.join('\n')).toMatch(/101 iterations/);
    const heard = ask(resolve, 'ml.example.', 'A', { dnssecOk: true });
    expect(brief(heard.authority)).toEqual(SOA);
  });

  test('of two NSEC3PARAMs the one with a whole chain is used', () => {
    const origin = nameOf('example.');
    const records = signed(recordsOfText('example.', common), origin, options);
    records.add(origin, 51, 0, Uint8Array.of(1, 0, 0, 5, 1, 0xab));
    const image = buildImage({ origin, records, smart: [] });
    const heard = ask(resolveOf([image]), 'ns1.example.', 'MX', { dnssecOk: true });
    expect(heard.authority.filter((line) => line.includes(' NSEC3 '))).toHaveLength(1);
  });

  test('a DNSKEY without any chain is warned of', () => {
    const origin = nameOf('example.');
    const records = recordsOfText('example.', common);
    records.add(origin, 48, 3600, Uint8Array.of(1, 1, 3, 13, 1));
    const warnings: string[] = [];
    buildImage({ origin, records, smart: [] }, (warning) => warnings.push(warning));
    expect(warnings).toHaveLength(1);
  });
});
