import { describe, expect, test } from 'vitest';
import { type WantedZone, ZoneBook } from '../../../../dns/zones/book.ts';
import type { BuildJob, BuildResult } from '../../../../dns/zones/types.ts';

const wanted = (zone: string, fingerprint: string): [string, WantedZone] => [
  zone,
  { fingerprint, job: { source: 'file', zone, path: `/${zone}`, smart: [] } },
];
const transfer = (zone: string): [string, WantedZone] => {
  const records = { bytes: new Uint8Array(0), at: new Float64Array(0), count: 0, used: 0 };
  return [zone, { fingerprint: 'x', job: { source: 'transfer', zone, smart: [], records } }];
};

/** `bad`: zones that are refused. */
function rig(bad: Set<string> = new Set()) {
  const batches: string[][] = [];
  let serial = 0;
  const build = async (jobs: readonly BuildJob[]): Promise<BuildResult[]> => {
    batches.push(jobs.map(({ zone }) => zone));
    return jobs.map(({ zone }) => {
      serial++;
      const memory = new SharedArrayBuffer(0);
      const image = { origin: new Uint8Array(1), serial, names: 1, recordCount: 1, memory };
      const refused = { level: 'refusal', place: undefined, message: 'no SOA' } as const;
      const good = !bad.has(zone);
      const problems = good ? [] : [refused];
      return { zone, image: good ? image : undefined, problems, files: [], tookMs: 0 };
    });
  };
  let published = 0;
  const book = new ZoneBook({
    build,
    onBuilt: () => void published++,
    onSettled() {},
    nowMs: () => 5,
  });
  return { book, batches, published: () => published };
}
const serials = (book: ZoneBook) =>
  Object.fromEntries([...book.served].map(([zone, { image }]) => [zone, image.serial]));

describe('ZoneBook', () => {
  test('builds what changed, and only that; a batch is one', async () => {
    const { book, batches, published } = rig();
    book.want('file', new Map([wanted('a', '1'), wanted('b', '1')]));
    await book.settled();
    book.want('file', new Map([wanted('a', '1'), wanted('b', '2')]));
    await book.settled();
    expect(batches).toEqual([['a', 'b'], ['b']]);
    expect(published()).toBe(2);
    expect(serials(book)).toEqual({ a: 1, b: 3 });
  });

  test('a refused one leaves the one before in force, and is tried when it changes', async () => {
    const bad = new Set<string>();
    const { book, batches } = rig(bad);
    book.want('file', new Map([wanted('a', '1')]));
    await book.settled();
    bad.add('a');
    book.want('file', new Map([wanted('a', '2')]));
    await book.settled();
    expect(serials(book)).toEqual({ a: 1 });
    expect(book.refused.get('a')?.problems[0]?.message).toBe('no SOA');
    book.want('file', new Map([wanted('a', '2')]));
    await book.settled();
    expect(batches.length).toBe(2);
    bad.delete('a');
    book.want('file', new Map([wanted('a', '3')]));
    await book.settled();
    expect([...book.refused]).toEqual([]);
    expect(serials(book)).toEqual({ a: 3 });
  });

  test('a zone that nobody wants is gone', async () => {
    const { book, published } = rig();
    book.want('file', new Map([wanted('a', '1')]));
    await book.settled();
    book.want('file', new Map());
    await book.settled();
    expect(serials(book)).toEqual({});
    expect(published()).toBe(2);
  });

  test('a file goes before a transfer, which serves when the file is gone', async () => {
    const { book } = rig();
    book.want('file', new Map([wanted('a', '1')]));
    book.want('transfer', new Map([transfer('a')]));
    await book.settled();
    expect(book.served.get('a')?.source).toBe('file');
    expect(book.shadowed).toEqual([{ zone: 'a', source: 'transfer', by: 'file' }]);
    book.want('file', new Map());
    await book.settled();
    expect(book.served.get('a')?.source).toBe('transfer');
  });

  test('what changes while it is built is built again', async () => {
    const { book, batches } = rig();
    book.want('file', new Map([wanted('a', '1')]));
    await Promise.resolve();
    book.want('file', new Map([wanted('a', '2')]));
    await book.settled();
    expect(batches.length).toBeGreaterThan(0);
    expect(batches.flat().every((zone) => zone === 'a')).toBe(true);
    expect(book.served.has('a')).toBe(true);
  });

  test('a builder that fails refuses all of its batch', async () => {
    const book = new ZoneBook({
      build: () => Promise.reject(new Error('thread ended')),
      onBuilt: () => {},
      onSettled() {},
      nowMs: () => 0,
    });
    book.want('file', new Map([wanted('a', '1')]));
    await book.settled();
    expect(book.refused.get('a')?.problems[0]?.message).toContain('thread ended');
  });
});
