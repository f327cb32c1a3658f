import { describe, expect, test } from 'vitest';
import { emptyZone } from '../../../../dns/image/view.ts';
import {
  ask,
  askWire,
  imageOf,
  nameOf,
  resolveOf,
  type Told,
} from '../../../support/dns/resolve-rig.ts';
import { long, resolve, text } from './resolve-zone.ts';

const SOA = 'example. 300 SOA ns1.example. host.example. 7 3600 600 86400 300';
const child = `$TTL 60
@ SOA ns host 1 2 3 4 30
@ NS ns
ns A 198.51.100.5
`;

type Case = Partial<Told> & { rule: string; name: string; type: string };
const www = ['192.0.2.10', '192.0.2.11'].map((address) => `www.example. 3600 A ${address}`);
const ns1 = ['ns1.example. 3600 A 192.0.2.1', 'ns1.example. 3600 AAAA 2001:db8::1'];

const cases: Case[] = [
  { rule: 'A1: not ours', name: 'www.example.com.', type: 'A', rcode: 'REFUSED', aa: false },
  { rule: 'A1: the root is not ours', name: '.', type: 'NS', rcode: 'REFUSED', aa: false },
  { rule: 'A2', name: 'www.example.', type: 'A', answer: www },
  { rule: 'A2: no data', name: 'www.example.', type: 'AAAA', authority: [SOA] },
  { rule: 'A2: an empty non-terminal', name: '_tcp.example.', type: 'A', authority: [SOA] },
  { rule: 'A2: no name', name: 'no.example.', type: 'A', rcode: 'NXDOMAIN', authority: [SOA] },
  {
    rule: 'A2: below a name',
    name: 'a.www.example.',
    type: 'A',
    rcode: 'NXDOMAIN',
    authority: [SOA],
  },
  {
    rule: 'A2: a type of no meaning here',
    name: 'www.example.',
    type: 'TYPE65400',
    authority: [SOA],
  },
  {
    rule: 'A3',
    name: 'a.b.wild.example.',
    type: 'A',
    answer: ['a.b.wild.example. 3600 A 192.0.2.99'],
  },
  { rule: 'A3: its parent', name: 'wild.example.', type: 'A', authority: [SOA] },
  { rule: 'A3: without the type', name: 'a.wild.example.', type: 'TXT', authority: [SOA] },
  {
    rule: 'A3, A5',
    name: 'a.wc.example.',
    type: 'A',
    answer: ['a.wc.example. 3600 CNAME www.example.', ...www],
  },
  {
    rule: 'A4: the needed glue first',
    name: 'a.sub.example.',
    type: 'A',
    aa: false,
    authority: [
      'sub.example. 3600 NS ns.sub.example.',
      'sub.example. 3600 NS ns.elsewhere.',
      'sub.example. 3600 NS ns1.example.',
    ],
    additional: ['ns.sub.example. 3600 A 192.0.2.53', ...ns1],
  },
  { rule: 'A4: DS of the cut', name: 'sub.example.', type: 'DS', authority: [SOA] },
  {
    rule: 'A5',
    name: 'c1.example.',
    type: 'A',
    answer: ['c1.example. 3600 CNAME c2.example.', 'c2.example. 3600 CNAME www.example.', ...www],
  },
  {
    rule: 'A5: the last name has no data',
    name: 'c2.example.',
    type: 'MX',
    answer: ['c2.example. 3600 CNAME www.example.'],
    authority: [SOA],
  },
  {
    rule: 'A5: the last name is none',
    name: 'lost.example.',
    type: 'A',
    rcode: 'NXDOMAIN',
    answer: ['lost.example. 3600 CNAME nothing.mail.example.'],
    authority: [SOA],
  },
  {
    rule: 'A5: out of what is served',
    name: 'out.example.',
    type: 'A',
    answer: ['out.example. 3600 CNAME www.elsewhere.'],
  },
  {
    rule: 'A5: into another zone',
    name: 'cross.example.',
    type: 'A',
    answer: ['cross.example. 3600 CNAME www.other.', 'www.other. 60 A 198.51.100.80'],
  },
  {
    rule: 'A5: QTYPE CNAME',
    name: 'c1.example.',
    type: 'CNAME',
    answer: ['c1.example. 3600 CNAME c2.example.'],
  },
  {
    rule: 'A5: QTYPE ANY',
    name: 'c1.example.',
    type: 'ANY',
    answer: ['c1.example. 3600 CNAME c2.example.'],
  },
  {
    rule: 'A5: a loop',
    name: 'loop1.example.',
    type: 'A',
    answer: [
      'loop1.example. 3600 CNAME loop2.example.',
      'loop2.example. 3600 CNAME loop1.example.',
    ],
  },
  {
    rule: 'A5: its own target',
    name: 'self.example.',
    type: 'A',
    answer: ['self.example. 3600 CNAME self.example.'],
  },
  {
    rule: 'A6',
    name: 'www.d.example.',
    type: 'A',
    answer: [
      'd.example. 3600 DNAME target.example.',
      'www.d.example. 3600 CNAME www.target.example.',
      'www.target.example. 3600 A 192.0.2.61',
    ],
  },
  { rule: 'A6: not its own', name: 'd.example.', type: 'A', authority: [SOA] },
  {
    rule: 'A6: QTYPE CNAME',
    name: 'www.d.example.',
    type: 'CNAME',
    answer: [
      'd.example. 3600 DNAME target.example.',
      'www.d.example. 3600 CNAME www.target.example.',
    ],
  },
  {
    rule: 'A6: no target',
    name: 'no.d.example.',
    type: 'A',
    rcode: 'NXDOMAIN',
    answer: [
      'd.example. 3600 DNAME target.example.',
      'no.d.example. 3600 CNAME no.target.example.',
    ],
    authority: [SOA],
  },
  {
    rule: 'A6: over 255 bytes',
    name: `${long}.${long}.dl.example.`,
    type: 'A',
    rcode: 'YXDOMAIN',
    answer: [`dl.example. 3600 DNAME ${long}.${long}.${long}.example.`],
  },
  { rule: 'A8', name: 'www.example.', type: 'ANY', answer: www },
  { rule: 'A8: no name', name: 'no.example.', type: 'ANY', rcode: 'NXDOMAIN', authority: [SOA] },
  {
    rule: 'A9: MX',
    name: 'mail.example.',
    type: 'MX',
    answer: ['mail.example. 3600 MX 10 mx.mail.example.', 'mail.example. 3600 MX 20 www.example.'],
    additional: ['mx.mail.example. 3600 A 192.0.2.25', ...www],
  },
  {
    rule: 'A9: SRV',
    name: '_s._tcp.example.',
    type: 'SRV',
    answer: ['_s._tcp.example. 3600 SRV 0 1 80 www.example.'],
    additional: www,
  },
  {
    rule: 'A9: SVCB of the owner',
    name: 'svc.example.',
    type: 'HTTPS',
    answer: ['svc.example. 3600 HTTPS 1 . alpn="h2"'],
    additional: ['svc.example. 3600 A 192.0.2.80'],
  },
  {
    rule: 'A9: SVCB of another',
    name: 'svcalias.example.',
    type: 'HTTPS',
    answer: ['svcalias.example. 3600 HTTPS 0 www.example.'],
    additional: www,
  },
  {
    rule: 'A9, A10: NS; no other section names them',
    name: 'example.',
    type: 'NS',
    answer: ['example. 3600 NS ns.other.', 'example. 3600 NS ns1.example.'],
    additional: ['ns.other. 60 A 198.51.100.1', ...ns1],
  },
];

describe('the rules', () => {
  test.each(cases)('$rule: $name $type', (each) => {
    const { rule: _, name, type, ...expected } = each;
    const heard = ask(resolve, name, type);
    const full = { rcode: 'NOERROR', aa: true, answer: [], authority: [], additional: [] };
    const { rcode, aa, answer, authority, additional } = heard;
    expect({ rcode, aa, answer, authority, additional }).toEqual({ ...full, ...expected });
  });

  test('A1: of nested zones the longest; the DS of the inner one is the outer one’s', () => {
    const both = resolveOf([imageOf('example.', text), imageOf('sub.example.', child)]);
    expect(ask(both, 'ns.sub.example.', 'A').answer).toEqual(['ns.sub.example. 60 A 198.51.100.5']);
    const ds = ask(both, 'sub.example.', 'DS');
    expect(ds).toMatchObject({ aa: true, authority: [SOA], result: { zone: 0 } });
    const tosub = ask(both, 'tosub.example.', 'A');
    expect(tosub).toMatchObject({ rcode: 'NXDOMAIN', result: { zone: 0 } });
    const alone = resolveOf([imageOf('sub.example.', child)]);
    expect(ask(alone, 'sub.example.', 'DS').authority[0]).toMatch(/^sub\.example\. 30 SOA/);
  });

  test('A1: a zone without an image is SERVFAIL, also at the end of a chain', () => {
    const zones = [imageOf('example.', text), emptyZone(nameOf('other.'))];
    const broken = resolveOf(zones);
    expect(ask(broken, 'www.other.', 'A')).toMatchObject({ rcode: 'SERVFAIL', aa: false });
    expect(ask(broken, 'cross.example.', 'A')).toMatchObject({ rcode: 'SERVFAIL', answer: [] });
  });

  test('A4: a cut behind a CNAME: AA, with the referral', () => {
    const heard = ask(resolve, 'tosub.example.', 'A');
    expect(heard.aa).toBe(true);
    expect(heard.authority).toHaveLength(3);
    expect(heard.additional[0]).toBe('ns.sub.example. 3600 A 192.0.2.53');
  });

  test('A5: at most 16 links', () => {
    const heard = ask(resolve, 'many.example.', 'A');
    expect(heard.answer).toHaveLength(16);
    expect(heard.authority).toEqual([]);
  });

  test('H4: class ANY is answered without AA', () => {
    expect(ask(resolve, 'www.example.', 'A', { isAnyClass: true })).toMatchObject({
      aa: false,
      answer: www,
    });
    expect(ask(resolve, 'www.example.', 'MX', { isAnyClass: true }).aa).toBe(false);
  });

  test('names compare without case, and the question’s letters go into the answer', () => {
    const heard = askWire(resolve, nameOf('wWw.ExAmPlE.'), 1);
    expect(heard.answer).toEqual(www);
    expect(Buffer.from(heard.message.answers[0]?.owner ?? []).toString('latin1')).toContain('wWw');
  });

  test('labels are bytes: a dot and a zero in one are no end of it', () => {
    const odd = resolveOf([imageOf('example.', `${text}a\\.b A 192.0.2.7\na\\000b A 192.0.2.8\n`)]);
    expect(ask(odd, 'a\\.b.example.', 'A').answer).toHaveLength(1);
    expect(ask(odd, 'a.b.example.', 'A').rcode).toBe('NXDOMAIN');
    expect(ask(odd, 'a\\000b.example.', 'A').answer[0]).toMatch(/192\.0\.2\.8$/);
  });
});
