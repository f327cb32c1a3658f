// The map that is pages and a hash: one map to its user and to the programs.
import { describe, expect, it } from 'vitest';
import { OBJECT_PATH } from '../../../natter/daemon.ts';
import { PagedMap } from '../../../natter/paged-map.ts';
import { GRACE_MS, PAGE_ENTRIES } from '../../../natter/pages.ts';
import { createFakeBpf } from '../../../shared/bpf/fake.ts';
import { parseIpv4 } from '../../../shared/net/ipv4.ts';
import { addressKey, findMapping, partsOf } from '../../support/find-mapping.ts';
import { expectOneMap } from '../../support/paged-map-property.ts';

const ip = (text: string): number => parseIpv4(text) ?? 0;
const key = (text: string): Uint8Array => addressKey(ip(text));
const value = (number: number): Uint8Array => new Uint8Array(8).fill(number, 0, 4);

function open(pages: number, hash = 64) {
  const maxEntries = {
    eip_to_private: hash,
    eip_pages: Math.max(1, pages),
    eip_entries: (pages + 1) * PAGE_ENTRIES,
  };
  const { maps } = createFakeBpf().load({ objectPath: OBJECT_PATH, maxEntries });
  const time = { nowMs: 0 };
  const parts = partsOf(maps, 'eip_to_private');
  const start = () => new PagedMap({ ...parts, clock: { monotonicMs: () => time.nowMs } });
  const settle = (map: PagedMap) => {
    for (const _ of map.settle());
  };
  const countOf = (map: { batches(): Iterable<{ count: number }> }) =>
    [...map.batches()].reduce((sum, { count }) => sum + count, 0);
  const find = (text: string) => findMapping(maps, 'eip_to_private', ip(text));
  return { maps, ...parts, map: start(), start, settle, countOf, find, time };
}

describe('a map of pages and a hash', () => {
  it.for([0, 1, 2, 3, 100])('is one map, with %i pages', (pages) => {
    expectOneMap(open(pages).maps, 'eip_to_private', 300);
  });

  it('keeps a mapping of nothing but zeroes', () => {
    const { map, find } = open(1);
    map.update(key('198.51.100.0'), value(0));
    expect(map.lookup(key('198.51.100.0'))).toEqual(value(0));
    expect(find('198.51.100.0')).toEqual(value(0));
    expect(map.delete(key('198.51.100.0'))).toBe(true);
    expect(find('198.51.100.0')).toBeUndefined();
  });

  it('uses the hash where there is no page, and moves to a page in two steps', () => {
    const { map, hash, countOf, settle, find, time } = open(1);
    map.update(key('198.51.100.1'), value(1));
    map.update(key('203.0.113.1'), value(2));
    expect(countOf(hash)).toBe(1);
    map.delete(key('198.51.100.1'));
    settle(map); // takes the empty page back, and lets it rest
    expect(countOf(hash)).toBe(1);
    time.nowMs += GRACE_MS;
    settle(map); // copies
    expect(find('203.0.113.1')).toEqual(value(2));
    expect(countOf(hash)).toBe(1);
    settle(map); // too early: a program may be between its two lookups
    expect(countOf(hash)).toBe(1);
    time.nowMs += GRACE_MS;
    settle(map);
    expect(countOf(hash)).toBe(0);
    expect(find('203.0.113.1')).toEqual(value(2));
  });

  it('takes over what a natter without pages left', () => {
    const { hash, start, settle, countOf, find, time } = open(2);
    for (const text of ['198.51.100.1', '198.51.100.2']) hash.update(key(text), value(3));
    settle(start());
    const map = start();
    settle(map); // programs that ask nothing but the hash may still run
    expect(countOf(hash)).toBe(2);
    expect(countOf(map)).toBe(2);
    time.nowMs += GRACE_MS;
    settle(map);
    settle(map);
    expect(countOf(hash)).toBe(0);
    expect(countOf(map)).toBe(2);
    expect(find('198.51.100.2')).toEqual(value(3));
  });

  it('shows in a walk what somebody else took away or brought', () => {
    const { map, pages, hash, settle, countOf, find } = open(3);
    map.update(key('198.51.100.1'), value(1));
    map.update(key('203.0.113.1'), value(2));
    settle(map);
    pages.delete(key('198.51.100.0'));
    expect(countOf(map)).toBe(1);
    hash.update(key('192.0.2.1'), value(9));
    expect(find('192.0.2.1')).toBeUndefined(); // programs know the hash to be empty
    expect(countOf(map)).toBe(2);
    pages.update(key('192.0.2.0'), new Uint8Array([99, 0, 0, 0])); // no page
    pages.update(key('192.0.2.7'), new Uint8Array([1, 0, 0, 0])); // no /24
    expect(countOf(map)).toBe(2);
    expect(countOf(pages)).toBe(1);
  });

  it('gives a page to another /24 empty, and not while a program may still read it', () => {
    const { map, pages, entries, find, time } = open(1);
    map.update(key('198.51.100.1'), value(1));
    pages.delete(key('198.51.100.0')); // by somebody else: the entry stays behind
    expect([...map.batches()]).toEqual([]);
    map.update(key('203.0.113.9'), value(2));
    expect(pages.lookup(key('203.0.113.0'))).toBeUndefined();
    time.nowMs += GRACE_MS;
    map.update(key('203.0.113.9'), value(2));
    expect(pages.lookup(key('203.0.113.0'))).toBeDefined();
    expect(find('203.0.113.1')).toBeUndefined();
    expect(entries.view()?.subarray(PAGE_ENTRIES * 8 + 8, PAGE_ENTRIES * 8 + 16)).toEqual(value(0));
  });

  it('refuses what a map refuses', () => {
    const { map } = open(0, 1);
    map.update(key('198.51.100.1'), value(1), 'noexist');
    const full = () => map.update(key('198.51.100.2'), value(1));
    expect(full).toThrow(expect.objectContaining({ code: 'EDGE_BPF_MAP_FULL' }));
    const twice = () => map.update(key('198.51.100.1'), value(1), 'noexist');
    expect(twice).toThrow(expect.objectContaining({ code: 'EDGE_BPF_EXISTS' }));
    const none = () => map.update(key('198.51.100.2'), value(1), 'exist');
    expect(none).toThrow(expect.objectContaining({ code: 'EDGE_BPF_MAP' }));
    expect(() => map.lookup(new Uint8Array(3))).toThrow(RangeError);
  });
});
