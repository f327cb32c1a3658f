import { describe, expect, test } from 'vitest';
import { type ObjectZone, zoneFromObjects } from '../../../../../shared/dns/zone/from-objects.ts';
import { NOW_SECONDS, recordLines, told } from './zone-text.ts';

const NS = { name: 'example.com', type: 'NS', data: ['ns.example.net'] };

function objects(over: Partial<ObjectZone> = {}): ObjectZone {
  return {
    zone: {
      name: 'example.com',
      soa: {
        primary: 'ns.example.net',
        mail: 'hostmaster.example.net',
        refreshSeconds: 3600,
        retrySeconds: 600,
        expireSeconds: 1209600,
        minimumSeconds: 300,
      },
      ttlSeconds: 120,
      serialBase: 0,
      transfer: { prefixes: [], keys: [] },
      notify: [],
      primaries: [],
    },
    plain: [NS],
    smart: [],
    serial: 2026010107,
    nowSeconds: NOW_SECONDS,
    ...over,
  };
}

describe('zones of site objects', () => {
  test('have their records, TTLs, and the serial that is told', () => {
    const plain = [
      NS,
      { name: 'mail.example.com', type: 'MX', ttlSeconds: 60, data: ['10 mx.example.net', '20 .'] },
      { name: 't.example.com', type: 'TXT', data: ['"a b" c\\;', ' x'] },
      { name: '*.w.example.com', type: 'TYPE65280', data: ['\\# 1 ff'] },
    ];
    const { zone, problems } = zoneFromObjects(objects({ plain }));
    expect(told(problems)).toEqual([]);
    expect(zone?.serial).toBe(2026010107);
    expect(zone && recordLines(zone.records)).toEqual([
      'example.com. 120 SOA ns.example.net. hostmaster.example.net. 2026010107 3600 600 1209600 300',
      'example.com. 120 NS ns.example.net.',
      'mail.example.com. 60 MX 10 mx.example.net.',
      'mail.example.com. 60 MX 20 .',
      't.example.com. 120 TXT "x"',
      't.example.com. 120 TXT "a b" "c;"',
      '*.w.example.com. 120 TYPE65280 \\# 1 FF',
    ]);
  });

  test.each<[over: Partial<ObjectZone>, problem: string]>([
    [
      { plain: [NS, { name: 'a.example.com', type: 'A', data: ['192.0.2'] }] },
      'record a.example.com/A:0:0 "192.0.2" is not an IPv4 address',
    ],
    [
      { plain: [NS, { name: 'a.example.com', type: 'A', data: [] }] },
      'record a.example.com/A:0:0 it has no data',
    ],
    [
      { plain: [NS, { name: 'a.example.com', type: 'TXT', data: ['a\nb'] }] },
      'record a.example.com/TXT:0:0 "\\n" has a meaning in zone files: put a backslash ' +
        'before it, or quote the text',
    ],
    [
      { plain: [NS, { name: 'a.example.com', type: 'TXT', data: ['"a'] }] },
      'record a.example.com/TXT:0:0 a quotation mark is not closed on its line',
    ],
    [
      { plain: [NS, { name: 'a..example.com', type: 'A', data: ['192.0.2.1'] }] },
      'record a..example.com/A:0:0 "a..example.com" is not a name',
    ],
    [
      { plain: [NS, { name: 'a.example.net', type: 'A', data: ['192.0.2.1'] }] },
      'record a.example.net/A:0:0 it is not in the zone example.com.',
    ],
    [
      { plain: [NS, { name: 'example.com', type: 'FOO', data: ['x'] }] },
      'record example.com/FOO:0:0 "FOO" is not a type of records',
    ],
    [
      { plain: [NS, { name: 'example.com', type: 'AXFR', data: ['x'] }] },
      'record example.com/AXFR:0:0 "AXFR" is not a type of records',
    ],
    [{ plain: [] }, '- example.com. has no NS records at its apex'],
    [
      { smart: [{ name: 'example.com', type: 'CNAME' }] },
      'record example.com/CNAME:0:0 example.com. CNAME is at the apex, beside SOA and NS: use ALIAS',
    ],
    [
      {
        plain: [NS, { name: 'a.example.com', type: 'TXT', data: ['x'] }],
        smart: [{ name: 'a.example.com', type: 'CNAME' }],
      },
      'record a.example.com/CNAME:0:0 a.example.com. CNAME stands beside other data',
    ],
    [
      {
        plain: [NS, { name: 'a.example.com', type: 'CNAME', data: ['x.org'] }],
        smart: [{ name: 'a.example.com', type: 'AAAA' }],
      },
      'record a.example.com/CNAME:0:0 a.example.com. CNAME stands beside other data',
    ],
    [
      { smart: [{ name: 'a.example.net', type: 'A' }] },
      'record a.example.net/A:0:0 it is not in the zone example.com.',
    ],
  ])('%j', (over, problem) => {
    const { zone, problems } = zoneFromObjects(objects(over));
    expect(zone).toBeUndefined();
    expect(told(problems)[0]).toContain(`refusal ${problem}`);
  });

  test('a zone whose name or SOA is none', () => {
    const { zone: object } = objects();
    const [noName, { soa, ...noSoa }] = [{ ...object, name: 'a..b' }, object];
    expect(told(zoneFromObjects(objects({ zone: noName })).problems)[0]).toContain(
      '"a..b" is not a name',
    );
    expect(told(zoneFromObjects(objects({ zone: noSoa })).problems)).toEqual([
      'refusal - example.com. has no SOA record at its apex',
    ]);
    const wrong = { ...object, soa: { ...(soa ?? fail()), refreshSeconds: -1 } };
    expect(told(zoneFromObjects(objects({ zone: wrong })).problems)[0]).toContain(
      'refusal zone example.com:0:0 refresh "-1"',
    );
  });
});

function fail(): never {
  throw new Error('the zone of these tests has a SOA');
}
