// List files on a disk: read, watched, replaced; a bad one changes nothing.
import { mkdirSync, mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LineFiles, type LineFilesOptions } from '../../../../dns/lines/files.ts';
import { until } from '../../../../lab/ready.ts';
import { ManualClock } from '../../../../shared/clock.ts';
import { formatProblem } from '../../../../shared/errors.ts';
import { entriesOf } from '../../../support/dns/lines-parsed.ts';

let directory: string;
let stop: AbortController;
let clock: ManualClock;
let seen: string[][];
let problems: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'edge-lines-'));
  stop = new AbortController();
  clock = new ManualClock();
  seen = [];
  problems = [];
});

afterEach(() => {
  stop.abort();
  rmSync(directory, { recursive: true });
});

const path = (name: string) => join(directory, name);
const put = (name: string, content: string | Uint8Array) => writeFileSync(path(name), content);
const settings = (name: string, line?: string) => ({
  file: path(name),
  format: 'auto' as const,
  line,
});

function lineFiles(names: string[], more: Partial<LineFilesOptions> = {}): LineFiles {
  return new LineFiles({
    files: names.map((name) => settings(name)),
    clock,
    signal: stop.signal,
    onLists: (lists) => seen.push(lists.flatMap(entriesOf)),
    onProblems: (found) => {
      for (const { file, ...each } of found)
        problems.push(formatProblem({ ...each, file: file.replace(`${directory}/`, '') }));
    },
    ...more,
  });
}

/** Lets time pass until it is so: what is read comes by real I/O. */
function eventually(what: string, probe: () => boolean): Promise<boolean> {
  return until(what, async () => {
    await clock.advance(500);
    return probe();
  });
}

describe('list files', () => {
  it('are read at the start, packed ones too', async () => {
    put('a', '192.0.2.0/24 telecom\n');
    put('b.gz', gzipSync('2001:db8::/32 unicom\n'));
    const files = lineFiles(['a', 'b.gz']);
    await files.start();
    expect(seen).toEqual([['192.0.2.0/24 telecom 1', '2001:db8::/32 unicom 1']]);
    expect(files.lists.map(({ file }) => file)).toEqual([path('a'), path('b.gz')]);
  });

  it('are read again when they are renamed into place', async () => {
    put('a', '192.0.2.0/24 telecom\n');
    await lineFiles(['a']).start();
    put('a.new', '192.0.2.0/24 unicom\n');
    renameSync(path('a.new'), path('a'));
    await eventually('the new list', () => seen.length === 2);
    expect(seen[1]).toEqual(['192.0.2.0/24 unicom 1']);
  });

  it('are seen to change by polling alone', async () => {
    put('a', '192.0.2.0/24 telecom\n');
    mkdirSync(path('late'));
    rmSync(path('late'), { recursive: true });
    await lineFiles(['a', 'late/b']).start();
    expect(problems).toHaveLength(1);
    mkdirSync(path('late')); // which nobody could watch at the start
    put('late/b', '192.0.3.0/24 unicom\n');
    await eventually('both lists', () => seen.length === 2);
    expect(seen[1]).toEqual(['192.0.2.0/24 telecom 1', '192.0.3.0/24 unicom 1']);
  });

  it('keep the last good list when they turn bad or vanish, and tell it once', async () => {
    put('a', '192.0.2.0/24 telecom\n');
    put('b', '192.0.3.0/24 telecom\n');
    const files = lineFiles(['a', 'b']);
    await files.start();
    put('a', '192.0.2.0/24 telecom\n192.0.2.0/99 telecom\n');
    await eventually('the problem', () => problems.length > 0);
    expect(problems).toEqual([
      [
        'a:2:1: error: "192.0.2.0/99" is no prefix (write one such as 192.0.2.0/24 or 2001:db8::/32)',
        '    192.0.2.0/99 telecom',
        '    ^',
      ].join('\n'),
    ]);
    unlinkSync(path('a'));
    await eventually('the second problem', () => problems.length > 1);
    expect(problems[1]).toMatch(/^a: error: cannot be read: ENOENT.* \(put the file there/);
    put('b', '192.0.4.0/24 telecom\n');
    await eventually('the other list', () => seen.length > 1);
    expect(seen.at(-1)).toEqual(['192.0.2.0/24 telecom 1', '192.0.4.0/24 telecom 1']);
    expect(problems).toHaveLength(2);
    expect(files.problems).toHaveLength(1);
    put('a', '192.0.5.0/24 telecom\n');
    await eventually('it is good again', () => files.problems.length === 0);
    expect(seen.at(-1)).toEqual(['192.0.5.0/24 telecom 1', '192.0.4.0/24 telecom 1']);
  });

  it('that are bad from the start are left out', async () => {
    put('a', '192.0.2.0/24 telecom\n');
    put('b.gz', Uint8Array.of(0x1f, 0x8b, 8, 0, 0));
    mkdirSync(path('c'));
    await lineFiles(['a', 'b.gz', 'c']).start();
    expect(seen).toEqual([['192.0.2.0/24 telecom 1']]);
    expect(problems).toEqual([
      'b.gz: error: cannot be unpacked: unexpected end of file (load the file again)',
      'c: error: cannot be read: it is no regular file (check the file)',
    ]);
  });

  it('changed together are told of together', async () => {
    put('a', '192.0.2.0/24 telecom\n');
    put('b', '192.0.3.0/24 telecom\n');
    await lineFiles(['a', 'b']).start();
    put('a', '192.0.4.0/24 telecom\n');
    put('b', '192.0.5.0/24 telecom\n');
    await eventually('both', () => seen.length > 1);
    expect(seen).toHaveLength(2);
    expect(seen[1]).toEqual(['192.0.4.0/24 telecom 1', '192.0.5.0/24 telecom 1']);
  });

  it('written while they are read are read again', async () => {
    put('a', '192.0.2.0/24 telecom\n');
    const { loadList } = await import('../../../../dns/lines/load-list.ts');
    let reads = 0;
    const files = lineFiles(['a'], {
      load: async (each) => {
        const parsed = await loadList(each);
        if (reads++ === 0) put('a', '192.0.2.0/24 telecom\n192.0.3.0/24 unicom\n');
        return parsed;
      },
    });
    await files.start();
    expect(seen).toEqual([]);
    await eventually('the whole file', () => seen.length > 0);
    expect(seen).toEqual([['192.0.2.0/24 telecom 1', '192.0.3.0/24 unicom 2']]);
  });

  it('are replaced by those of other settings; what is the same is not read again', async () => {
    put('a', '192.0.2.0/24\n');
    put('b', '192.0.3.0/24\n');
    const reads: string[] = [];
    const { loadList } = await import('../../../../dns/lines/load-list.ts');
    const files = lineFiles([], {
      files: [settings('a', 'telecom')],
      load: (each) => {
        reads.push(`${each.file.replace(`${directory}/`, '')} ${each.line}`);
        return loadList(each);
      },
    });
    await files.start();
    await files.replace([settings('b', 'unicom'), settings('a', 'telecom')]);
    expect(seen.at(-1)).toEqual(['192.0.3.0/24 unicom 1', '192.0.2.0/24 telecom 1']);
    await files.replace([settings('b', 'unicom')]);
    expect(seen.at(-1)).toEqual(['192.0.3.0/24 unicom 1']);
    await files.replace([settings('b', 'mobile')]);
    expect(seen.at(-1)).toEqual(['192.0.3.0/24 mobile 1']);
    await files.replace([settings('b', 'mobile')]);
    expect(seen).toHaveLength(4);
    expect(reads).toEqual(['a telecom', 'b unicom', 'b mobile']);
  });

  it('leave nothing behind after the signal', async () => {
    put('a', '192.0.2.0/24 telecom\n');
    await lineFiles(['a']).start();
    stop.abort();
    expect(clock.pending).toBe(0);
    put('a', '192.0.3.0/24 telecom\n');
    await clock.advance(60_000);
    expect(seen).toHaveLength(1);
  });
});
