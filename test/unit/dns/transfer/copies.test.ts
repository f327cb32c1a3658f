import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Copies } from '../../../../dns/transfer/copies.ts';
import { RecordList } from '../../../../shared/dns/zone/record-list.ts';
import { recordsOfText } from '../../../support/dns/resolve-rig.ts';

let directory = '';
let copies = new Copies(directory);
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'edge-copies-')), 'below');
  copies = new Copies(directory);
});
afterEach(() => rmSync(join(directory, '..'), { recursive: true, force: true }));

const ZONE = 'example.com';
const { memory: records } = recordsOfText(
  ZONE,
  '$TTL 60\n@ SOA a b 7 1 2 3 4\n@ NS a\na A 192.0.2.1\n',
);
const CHECKED_MS = 1_700_000_000_000;
const file = () => join(directory, readdirSync(directory)[0] ?? '');

const owners = (memory = records) => {
  const list = RecordList.of(memory);
  return Array.from({ length: list.count }, (_, index) => [...list.owner(index), list.type(index)]);
};

describe('copies on disk', () => {
  test('come back as they were, with the time of the last check', async () => {
    expect(await copies.load(ZONE)).toBeUndefined();
    await copies.save(ZONE, { records, serial: 7 }, CHECKED_MS);
    const copy = await copies.load(ZONE);
    expect(copy).toMatchObject({ serial: 7, checkedMs: CHECKED_MS });
    expect(owners(copy?.records)).toEqual(owners());
    expect(await copies.touch(ZONE, CHECKED_MS + 5000)).toBe(true);
    expect((await copies.load(ZONE))?.checkedMs).toBe(CHECKED_MS + 5000);
    await copies.remove(ZONE);
    expect(await copies.load(ZONE)).toBeUndefined();
    expect(await copies.touch(ZONE, CHECKED_MS)).toBe(false);
  });

  test('a new one takes the place of the one before; nothing else is left', async () => {
    await Promise.all(
      [7, 8, 9].map((serial) => copies.save(ZONE, { records, serial }, CHECKED_MS)),
    );
    expect((await copies.load(ZONE))?.serial).toBe(9);
    expect(readdirSync(directory)).toHaveLength(1);
  });

  test('of zones with any name', async () => {
    const zones = [
      '.',
      'a/b.example',
      `${'x'.repeat(63)}.${'\\000'.repeat(60)}`,
      'A.example',
      'a.example',
    ];
    for (const [serial, zone] of zones.entries()) await copies.save(zone, { records, serial }, 0);
    const loaded = await Promise.all(zones.map(async (zone) => (await copies.load(zone))?.serial));
    expect(loaded).toEqual([0, 1, 2, 3, 4]);
  });

  test('what is damaged is told, not served', async () => {
    await copies.save(ZONE, { records, serial: 7 }, CHECKED_MS);
    const whole = readFileSync(file());
    for (let at = 0; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      writeFileSync(file(), at % 2 === 0 ? damaged : whole.subarray(0, at));
      await expect(copies.load(ZONE)).rejects.toThrow();
    }
  });
});
