import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ZoneFileList } from '../../../../dns/zones/files.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'edge-zones-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const put = (file: string, text = 'x') => writeFileSync(join(directory, file), text);
const names = (list: ZoneFileList) => list.zones.map(({ zone }) => zone).sort();

describe('ZoneFileList', () => {
  test('those that are named and those of the directory; a named one goes before', () => {
    put('Example.COM.zone');
    put('other.zone');
    put('notes.txt');
    put('.zone');
    const zones = [{ zone: 'other', file: join(directory, 'notes.txt') }];
    const list = new ZoneFileList({ zones, zoneDirectory: directory });
    expect(names(list)).toEqual(['example.com', 'other']);
    expect(list.zones.find(({ zone }) => zone === 'other')?.path).toMatch(/notes\.txt$/);
  });

  test('tells what changes: a file, one that it includes, one that comes, one that goes', () => {
    put('a.zone');
    put('shared.inc');
    const list = new ZoneFileList({ zones: [], zoneDirectory: directory });
    list.includes('a', [join(directory, 'a.zone'), join(directory, 'shared.inc')]);
    expect(list.lookAtNext()).toBe(false);
    const before = list.zones[0]?.fingerprint;
    utimesSync(join(directory, 'shared.inc'), 1, 1);
    expect(list.lookAtNext()).toBe(true);
    expect(list.zones[0]?.fingerprint).not.toBe(before);
    put('b.zone');
    expect(list.lookAtNext()).toBe(true);
    expect(names(list)).toEqual(['a', 'b']);
    rmSync(join(directory, 'a.zone'));
    expect(list.lookAtNext()).toBe(true);
    expect(names(list)).toEqual(['b']);
  });

  test('a named file that is missing is wanted nevertheless, so that somebody is told', () => {
    const zones = [{ zone: 'a', file: join(directory, 'none') }];
    const list = new ZoneFileList({ zones });
    expect(list.zones[0]?.fingerprint).toContain('ENOENT');
    put('none');
    expect(list.lookAtAll()).toBe(true);
  });

  test('a directory that cannot be read keeps its zones', () => {
    put('a.zone');
    const list = new ZoneFileList({ zones: [], zoneDirectory: directory });
    renameSync(directory, `${directory}-away`);
    list.lookAtAll();
    expect(names(list)).toEqual(['a']);
    expect(list.problem).toContain('ENOENT');
    renameSync(`${directory}-away`, directory);
    list.lookAtAll();
    expect(list.problem).toBeUndefined();
  });
});
