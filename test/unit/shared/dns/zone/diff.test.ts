import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyDiffs, diffZones, type ZoneDiff } from '../../../../../shared/dns/zone/diff.ts';
import type { Zone } from '../../../../../shared/dns/zone/types.ts';
import { parsed, recordLines, told, zoneOf } from './zone-text.ts';

function zone(serial: number, body: string): Zone {
  return zoneOf(`$TTL 300\n@ SOA ns.x.org. h.x.org. ${serial} 1 2 3 4\n@ NS ns.x.org.\n${body}`);
}

function lines({ deleted, added }: ZoneDiff): { deleted: string[]; added: string[] } {
  const short = (line: string) => line.replace('.example.com.', '').replace(/ SOA .*/, ' SOA');
  return {
    deleted: recordLines(deleted).map(short),
    added: recordLines(added).map(short),
  };
}

const soa = 'example.com. 300 SOA';

describe('the difference of zones', () => {
  test.each<[what: string, from: string, to: string, deleted: string[], added: string[]]>([
    ['nothing', 'a A 192.0.2.1\n', 'a A 192.0.2.1\n', [], []],
    ['a record more', '', 'a A 192.0.2.1\n', [], ['a 300 A 192.0.2.1']],
    ['a record less', 'a A 192.0.2.1\n', '', ['a 300 A 192.0.2.1'], []],
    [
      'other data',
      'a A 192.0.2.1\n',
      'a A 192.0.2.2\n',
      ['a 300 A 192.0.2.1'],
      ['a 300 A 192.0.2.2'],
    ],
    ['another TTL', 'a TXT x\n', 'a 60 TXT x\n', ['a 300 TXT "x"'], ['a 60 TXT "x"']],
    ['another order', 'a TXT x\na TXT y\n', 'a TXT y\na TXT x\n', [], []],
    ['another case of names', 'a MX 1 X.org.\n', 'A MX 1 x.ORG.\n', [], []],
    ['another case of texts', 'a TXT x\n', 'a TXT X\n', ['a 300 TXT "x"'], ['a 300 TXT "X"']],
  ])('%s', (_, from, to, deleted, added) => {
    const diff = diffZones(zone(1, from), zone(2, to));
    expect(lines(diff)).toEqual({ deleted: [soa, ...deleted], added: [soa, ...added] });
    expect(diff.deleted.type(0)).toBe(6);
    expect(diff.added.type(0)).toBe(6);
  });

  test('of a zone and itself is nothing', () => {
    expect(lines(diffZones(zone(1, 'a TXT x\n'), zone(1, 'a TXT x\n')))).toEqual({
      deleted: [],
      added: [],
    });
  });

  test('what is there twice is not deleted', () => {
    const from = zone(1, 'a TXT x\n');
    from.records.addAll(parsed('$TTL 300\na TXT x\n').records);
    expect(lines(diffZones(from, zone(1, 'a TXT x\n')))).toEqual({ deleted: [], added: [] });
  });

  const bodies = fc
    .uniqueArray(
      fc.tuple(
        fc.constantFrom('a', 'B', 'c'),
        fc.constantFrom('A 192.0.2.1', 'A 192.0.2.2', 'TXT x', 'TXT X', 'MX 1 b'),
      ),
      { selector: ([owner, record]) => `${owner} ${record}` },
    )
    .chain((written) =>
      fc
        .constantFrom(60, 300)
        .map((ttl) => written.map(([owner, record]) => `${owner} ${ttl} ${record}\n`).join('')),
    );

  test('applied, it makes the one of the other', () => {
    fc.assert(
      fc.property(fc.array(bodies, { minLength: 2, maxLength: 4 }), (versions) => {
        const zones = versions.map((body, index) => zone(index + 1, body));
        const [first, last] = [zones[0], zones.at(-1)];
        if (first === undefined || last === undefined) throw new Error('no zones');
        const diffs = zones.slice(1).map((to, index) => diffZones(zones[index] ?? first, to));
        const { zone: made, problems } = applyDiffs(first, diffs);
        expect(told(problems)).toEqual([]);
        expect(made?.serial).toBe(versions.length);
        const shown = ({ records }: Zone) =>
          recordLines(records).map((each) => each.replace(/^\S+/, (owner) => owner.toLowerCase()));
        expect(made && shown(made)).toEqual(shown(last));
      }),
    );
  });
});

describe('differences that do not fit', () => {
  /** Text of records, the SOA among them. */
  const list = (text: string) => parsed(`$TTL 300\n${text}`).records;
  const SOA = (serial: number) => `@ SOA ns.x.org. h.x.org. ${serial} 1 2 3 4\n`;

  test.each([
    [`${SOA(1)}b TXT x\n`, SOA(2), 'deletes b.example.com. TXT "x", which is not there'],
    [`${SOA(1)}a TXT x\nA TXT x\n`, SOA(2), 'deletes A.example.com. TXT "x", which is not there'],
    [SOA(1), `${SOA(2)}A TXT x\n`, 'adds A.example.com. TXT "x", which is there already'],
    [SOA(1), '', 'leaves 0 SOA records, not one'],
    ['', SOA(2), 'leaves 2 SOA records, not one'],
    [SOA(3), SOA(4), 'deletes example.com. SOA ns.x.org. h.x.org. 3 1 2 3 4, which is not there'],
  ])('%j %j', (deleted, added, problem) => {
    const from = zone(1, 'a TXT x\n');
    const { zone: made, problems } = applyDiffs(from, [
      { deleted: list(deleted), added: list(added) },
    ]);
    expect(made).toBeUndefined();
    expect(told(problems)[0]).toBe(`refusal - the difference ${problem}: fetch the whole zone`);
    expect(recordLines(from.records)).toHaveLength(3);
  });

  test('records outside of the zone', () => {
    const added = list(SOA(2));
    added.add(Uint8Array.of(0), 16, 1, Uint8Array.of(0));
    const { problems } = applyDiffs(zone(1, ''), [{ deleted: list(SOA(1)), added }]);
    expect(told(problems)[0]).toContain('adds . TXT "", which is not in the zone');
  });

  test('a deletion counts whatever its TTL, a record may come back in the next difference', () => {
    const { zone: made } = applyDiffs(zone(1, 'a TXT x\n'), [
      { deleted: list(`${SOA(1)}a 5 TXT x\n`), added: list(SOA(2)) },
      { deleted: list(SOA(2)), added: list(`${SOA(3)}a 9 TXT x\n`) },
    ]);
    expect(made?.serial).toBe(3);
    expect(made && recordLines(made.records).at(-1)).toBe('a.example.com. 9 TXT "x"');
  });
});
