// The last good snapshot: what comes back, and what damage is noticed.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../../../shared/clock.ts';
import { OperationalError } from '../../../../shared/errors.ts';
import { silentLog } from '../../../../shared/log.ts';
import { LastGood, type Position } from '../../../../shared/store/snapshot.ts';
import { readSnapshot } from '../../../../shared/store/snapshot-read.ts';
import type { Change, ObjectRecord } from '../../../../shared/store/types.ts';

const unit = 'natter';
let directory: string;
let path: string;
let clock: ManualClock;
let file: LastGood;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'edge-snapshot-'));
  path = join(directory, 'state/natter.ndjson');
  clock = new ManualClock();
  file = new LastGood({ path, unit, clock, log: silentLog });
});

afterEach(async () => {
  await file.close();
  rmSync(directory, { recursive: true, force: true });
});

const at = (version: number): Position => {
  return { version, digest: '00000000000a', tail: `${version}-0`, count: 10 + version };
};
const put = (id: string, value = '{}'): ObjectRecord => ({ kind: 'eip', id, value });
const remove = (id: string): Change => ({ kind: 'eip', id, value: null });

async function write(objects: ObjectRecord[], version: number): Promise<void> {
  const draft = file.begin(at(version));
  await draft.add(objects);
  await draft.finish(version);
}

async function read() {
  const snapshot = await readSnapshot(path, unit);
  if (snapshot === undefined) return undefined;
  const objects: ObjectRecord[] = [];
  for await (const batch of snapshot.objects()) objects.push(...batch);
  const { position, cutOff } = snapshot;
  return { position, cutOff, objects: objects.map((each) => `${each.id} ${each.value}`) };
}

test('nothing was ever written: there is none', async () => {
  expect(await read()).toBeUndefined();
});

test('what cannot be read is damage, not the end of the daemon', async () => {
  mkdirSync(path, { recursive: true });
  await expect(read()).rejects.toMatchObject({ code: 'EDGE_SNAPSHOT_DAMAGED' });
});

test('a line without end is not gathered without end', async () => {
  await write([put('a')], 1);
  await file.close();
  truncateSync(path, 200 * 2 ** 20); // a hole of zeros
  await expect(read()).rejects.toMatchObject({ code: 'EDGE_SNAPSHOT_DAMAGED' });
});

test('a whole state comes back, with the changes taken after it', async () => {
  await write([put('a'), put('b'), put('c', '{"x":"ü\\n"}')], 3);
  file.record([remove('a'), put('b', '{"n":1}'), put('d')], at(4));
  file.record([put('b', '{"n":2}'), remove('d')], at(5));
  await file.close();
  const objects = ['c {"x":"ü\\n"}', 'b {"n":2}'];
  expect(await read()).toEqual({ position: at(5), cutOff: false, objects });
});

test('an empty state is a state', async () => {
  await write([], 7);
  await file.close();
  expect(await read()).toEqual({ position: at(7), cutOff: false, objects: [] });
});

test('a state read while it changed replaces the old one only once it is whole', async () => {
  await write([put('old')], 1);
  const draft = file.begin(at(1));
  await draft.add([put('old'), put('half')]);
  file.record([put('other')], at(2));
  await draft.finish(3);
  await file.close();
  expect((await read())?.objects, 'version 3 never came').toEqual(['old {}', 'other {}']);
});

test('and then holds the changes that made it whole', async () => {
  await write([put('old')], 1);
  const draft = file.begin(at(1));
  await draft.add([put('old'), put('half')]);
  file.record([put('other')], at(2));
  await draft.finish(3);
  file.record([remove('half')], at(3));
  file.record([put('last')], at(4));
  await file.close();
  expect(await read()).toMatchObject({
    position: at(4),
    objects: ['old {}', 'other {}', 'last {}'],
  });
  expect(existsSync(`${path}.new`)).toBe(false);
});

test('a draft that was discarded leaves the old file, and goes on', async () => {
  await write([put('old')], 1);
  const draft = file.begin(at(1));
  await draft.add([put('half')]);
  draft.discard();
  await draft.add([put('late')]);
  file.record([put('new')], at(2));
  await file.close();
  expect(await read()).toMatchObject({ position: at(2), objects: ['old {}', 'new {}'] });
  expect(existsSync(`${path}.new`)).toBe(false);
});

test('a state that was replaced is not continued', async () => {
  await write([put('old')], 1);
  file.detach();
  file.record([put('new')], at(2));
  await file.close();
  expect(await read()).toMatchObject({ position: at(1), objects: ['old {}'] });
});

test('a disk that cannot be written is told, and stops nothing', async () => {
  const told: string[] = [];
  const log = { ...silentLog, error: (event: string) => void told.push(event) };
  writeFileSync(join(directory, 'blocked'), '');
  const blocked = new LastGood({ path: join(directory, 'blocked/x'), unit, clock, log });
  const draft = blocked.begin(at(1));
  await draft.add([put('a')]);
  await draft.finish(1);
  blocked.record([put('b')], at(2));
  await blocked.close();
  expect(told).toEqual(['snapshot-unwritten']);
});

describe('damage', () => {
  const whole = async () => {
    await write([put('a'), put('b')], 2);
    file.record([put('c')], at(3));
    await file.close();
    return readFileSync(path);
  };

  test('cut off anywhere: refused, or a state that once was', async () => {
    const bytes = await whole();
    const changes = bytes.lastIndexOf('\n', bytes.length - 2) + 1;
    for (let length = 0; length < bytes.length; length++) {
      writeFileSync(path, bytes.subarray(0, length));
      const result = await read().catch((error: OperationalError) => error);
      if (result instanceof OperationalError) {
        expect(result.code, `at ${length}`).toBe('EDGE_SNAPSHOT_DAMAGED');
        expect(length).toBeLessThan(changes);
      } else {
        const complete = length === bytes.length - 1;
        expect(result?.objects).toEqual(complete ? ['a {}', 'b {}', 'c {}'] : ['a {}', 'b {}']);
        expect(result?.position).toEqual(complete ? at(3) : at(2));
        expect(result?.cutOff).toBe(!complete && length > changes);
      }
    }
  });

  test('one byte changed in the objects or a change: refused, or the change left out', async () => {
    const bytes = await whole();
    const position = fc.integer({ min: 0, max: bytes.length - 1 });
    await fc.assert(
      fc.asyncProperty(position, fc.integer({ min: 1, max: 255 }), async (index, xor) => {
        const spoilt = Buffer.from(bytes);
        spoilt[index] = (spoilt[index] ?? 0) ^ xor;
        writeFileSync(path, spoilt);
        const result = await read().catch((error: OperationalError) => error.code);
        if (typeof result === 'string') {
          expect(result).toBe('EDGE_SNAPSHOT_DAMAGED');
          return;
        }
        const version = result?.objects.length === 3 ? 3 : 2;
        expect(result?.position).toEqual(at(version));
        expect(result?.objects.slice(0, 2)).toEqual(['a {}', 'b {}']);
        expect([undefined, 'c {}']).toContain(result?.objects[2]);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['another unit', (text: string) => text.replace('"natter"', '"dns"'), 'of unit dns'],
    ['another format', (text: string) => text.replace(':1,', ':2,'), 'not a snapshot of this'],
    ['an object lost', (text: string) => text.replace('["eip","a","{}"]\n', ''), 'do not add up'],
    [
      'an object changed',
      (text: string) => text.replace('["eip","a","{}"]', '["eip","a","{ }"]'),
      'do not add up',
    ],
    ['no text at all', () => '', 'truncated'],
  ])('%s is refused with the reason', async (_, spoil, reason) => {
    const bytes = await whole();
    writeFileSync(path, spoil(bytes.toString()));
    await expect(read()).rejects.toThrow(reason);
  });
});
