import { describe, expect, test } from 'vitest';
import { TYPES } from '../../../../../shared/dns/constants.ts';
import { checkZone } from '../../../../../shared/dns/zone/check.ts';
import { HEAD, loaded, NOW_SECONDS, name, ORIGIN, parsed, told } from './zone-text.ts';

const KEY = '@ DNSKEY 257 3 8 AwEAAQ==\n';
const HASH = '0123456789ABCDEFGHIJKLMNOPQRSTUV';

type Signature = { labels?: number; until?: string; from?: string; signer?: string };

function rrsig(owner: string, type: string, of: Signature = {}): string {
  const labels = of.labels ?? (owner === '@' ? 2 : 3);
  const [until, from] = [of.until ?? '20270101000000', of.from ?? '20260101000000'];
  return `${owner} RRSIG ${type} 8 ${labels} 300 ${until} ${from} 1 ${of.signer ?? '@'} AAAA\n`;
}

/** All of HEAD and its key signed, with NSEC. */
const SIGNED = [
  HEAD,
  KEY,
  '@ NSEC ns NS SOA RRSIG NSEC DNSKEY\nns NSEC @ A RRSIG NSEC\n',
  ...['SOA', 'NS', 'NSEC', 'DNSKEY'].map((type) => rrsig('@', type)),
  ...['A', 'NSEC'].map((type) => rrsig('ns', type)),
].join('');

function warnings(body: string): string[] {
  const { zone, problems } = loaded(body);
  expect(zone).toBeDefined();
  return told(problems).map((each) => each.replace(/^warning \S+ the zone has /, ''));
}

describe('zones signed elsewhere', () => {
  test('are fine as signers make them', () => {
    expect(warnings(SIGNED)).toEqual([]);
  });

  test.each([
    [
      `b TXT x\nb NSEC ns TXT\n${rrsig('b', 'NSEC')}`,
      'data without signature (b.example.com. TXT)',
    ],
    [
      `b TXT x\nc TXT x\nb NSEC c TXT\n${rrsig('b', 'NSEC')}`,
      'data without signature (b.example.com. TXT, and 1 more)',
    ],
    [
      rrsig('ns', 'A', { until: '20261120000000' }),
      'signatures that have expired (ns.example.com. RRSIG)',
    ],
    [
      rrsig('ns', 'A', { from: '20261122000000' }),
      'signatures that are not yet valid (ns.example.com. RRSIG)',
    ],
    [
      rrsig('ns', 'A', { signer: 'ns' }),
      'signatures by another name than the zone (ns.example.com. RRSIG)',
    ],
    [
      rrsig('ns', 'A', { labels: 4 }),
      'signatures for more labels than there are (ns.example.com. RRSIG)',
    ],
    [
      `*.w NSEC ns NSEC\n${rrsig('*.w', 'NSEC', { labels: 4 })}`,
      'signatures for more labels than there are (*.w.example.com. RRSIG)',
    ],
    [rrsig('ns', 'AAAA'), 'signatures of what is not there (ns.example.com. RRSIG)'],
    [
      `${HASH} NSEC3 1 0 0 - ${HASH} A\n${rrsig(HASH, 'NSEC3')}`,
      'NSEC3, but no NSEC3PARAM at the apex',
    ],
    [`@ NSEC3PARAM 1 0 0 -\n${rrsig('@', 'NSEC3PARAM')}`, 'NSEC3PARAM, but no NSEC3'],
    [
      `x NSEC3 1 0 0 - ${HASH} A\n@ NSEC3PARAM 1 0 0 -\n` +
        rrsig('@', 'NSEC3PARAM') +
        rrsig('x', 'NSEC3'),
      'NSEC3 that are no hash below the apex',
    ],
  ])('%j', (body, warning) => {
    const [first = '', ...rest] = warnings(SIGNED + body);
    expect(rest).toEqual([]);
    expect(first).toContain(warning);
    expect(first).toContain(': sign it anew');
  });

  test('delegations and glue need no signatures, DS does', () => {
    const cut = `sub NS ns.sub\nns.sub A 192.0.2.1\nsub NSEC ns NS\n${rrsig('sub', 'NSEC')}`;
    expect(warnings(SIGNED + cut)).toEqual([]);
    expect(warnings(`${SIGNED}${cut}sub DS 1 8 2 ${'00'.repeat(32)}\n`)).toEqual([
      'data without signature (sub.example.com. DS): sign it anew',
    ]);
  });

  test('keys without proofs, signatures without keys', () => {
    expect(warnings(HEAD + KEY)).toHaveLength(2);
    expect(warnings(HEAD + rrsig('ns', 'A'))[0]).toContain('no DNSKEY at the apex');
  });

  test('signatures of one name have each the TTL of what they sign', () => {
    const { problems } = loaded(
      SIGNED +
        'b 5 TXT x\nb 9 NSEC ns TXT\n' +
        rrsig('b', 'TXT').replace('RRSIG', '5 RRSIG') +
        rrsig('b', 'NSEC').replace('RRSIG', '9 RRSIG'),
    );
    expect(told(problems)).toEqual([]);
  });

  test('NSEC3 of a zone with a DNAME at its apex are not below it', () => {
    const body = `@ DNAME example.net.\n@ NSEC3PARAM 1 0 0 -\n${HASH} NSEC3 1 0 0 - ${HASH} A\n`;
    const text = HEAD.replaceAll('ns A 192.0.2.53\n', '').replaceAll(' ns', ' ns.x.org.');
    const signed =
      text +
      KEY +
      body +
      ['SOA', 'NS', 'DNSKEY', 'DNAME', 'NSEC3PARAM'].map((type) => rrsig('@', type)).join('') +
      rrsig(HASH, 'NSEC3');
    expect(warnings(signed)).toEqual([]);
  });

  test('policy and aliases cannot be signed before', () => {
    const { records, placeOf } = parsed(`${SIGNED}a ALIAS x.org.\n`);
    const smart = [{ owner: name('b.example.com'), type: TYPES.A }];
    const { problems } = checkZone({
      origin: ORIGIN,
      records,
      placeOf,
      smart,
      nowSeconds: NOW_SECONDS,
    });
    const refusals = told(problems).filter((each) => each.startsWith('refusal'));
    expect(refusals).toHaveLength(2);
    expect(refusals[0]).toContain('a.example.com. ALIAS: the zone is signed elsewhere');
  });
});
