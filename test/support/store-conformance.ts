// What every store must do. Run by test/sim/store/conformance.test.ts against the one in memory and
// the one in Redis.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OperationalError } from '../../shared/errors.ts';
import { addDigest, formatDigest, objectDigest } from '../../shared/store/digest.ts';
import type { Change, Member, ObjectRecord, Store, StreamEntry } from '../../shared/store/types.ts';

export type StoreUnderTest = {
  store: Store;
  other: Store;
  trim(unit: string, keep: number): Promise<void>;
};

export function describeStore(
  name: string,
  open: () => Promise<StoreUnderTest>,
  close: () => Promise<void>,
): void {
  describe(name, () => {
    let under: StoreUnderTest;
    let store: Store;
    let units = 0;
    const newUnit = () => `test-${++units}`;
    const never = new AbortController().signal;

    beforeAll(async () => {
      under = await open();
      store = under.store;
    });
    afterAll(close);

    test('a unit that nobody wrote to is empty, at version 0', async () => {
      const unit = newUnit();
      const head = { version: 0, digest: '000000000000', count: 0, tail: '0-0' };
      expect(await store.head(unit)).toEqual(head);
      expect(await everything(store, unit)).toEqual([]);
      expect(await store.get(unit, 'eip', '198.51.100.7')).toBeUndefined();
      expect(await store.read(unit, '0-0', 1, never)).toEqual([]);
    });

    test('an apply bumps the version once and streams what it changed', async () => {
      const unit = newUnit();
      const changes = [put('eip', '198.51.100.7', '{"a":1}'), put('group', 'gold', '{"in":1000}')];
      expect(await store.apply(unit, changes)).toEqual({ version: 1, changed: 2 });
      const head = await store.head(unit);
      expect(head).toMatchObject({ version: 1, count: 2, digest: digestOf(changes) });
      expect(await everything(store, unit)).toEqual(changes);
      expect(await store.get(unit, 'eip', '198.51.100.7')).toBe('{"a":1}');
      expect(await entries(store, unit, '0-0')).toEqual([
        {
          id: head.tail,
          version: 1,
          digestBefore: '000000000000',
          digest: head.digest,
          count: 2,
          changes,
        },
      ]);
    });

    test('what is already true changes nothing: no version, no entry', async () => {
      const unit = newUnit();
      await store.apply(unit, [put('eip', '198.51.100.7', '{}')]);
      const before = await store.head(unit);
      const same = [put('eip', '198.51.100.7', '{}'), remove('eip', '198.51.100.9')];
      expect(await store.apply(unit, same)).toEqual({ version: 1, changed: 0 });
      expect(await store.apply(unit, [])).toEqual({ version: 1, changed: 0 });
      expect(await store.head(unit)).toEqual(before);
    });

    test('only what changed is streamed; a deletion comes as null', async () => {
      const unit = newUnit();
      await store.apply(unit, [put('eip', 'a', '{"x":1}'), put('eip', 'b', '{"x":1}')]);
      const { tail } = await store.head(unit);
      const mixed = [put('eip', 'a', '{"x":1}'), remove('eip', 'b'), put('eip', 'c', '{}')];
      expect(await store.apply(unit, mixed)).toEqual({ version: 2, changed: 2 });
      const [entry] = await entries(store, unit, tail);
      expect(entry?.changes).toEqual([remove('eip', 'b'), put('eip', 'c', '{}')]);
    });

    test('of two changes for one object in one apply, the last counts', async () => {
      const unit = newUnit();
      await store.apply(unit, [put('eip', 'a', '{"x":1}'), put('eip', 'a', '{"x":2}')]);
      expect(await everything(store, unit)).toEqual([put('eip', 'a', '{"x":2}')]);
      expect((await store.head(unit)).digest).toBe(digestOf([put('eip', 'a', '{"x":2}')]));
    });

    test('the digest returns to zero when everything is deleted', async () => {
      const unit = newUnit();
      const ids = Array.from({ length: 300 }, (_, i) => `${i}`);
      await store.apply(
        unit,
        ids.map((id) => put('eip', id, `{"n":${id}}`)),
      );
      await store.apply(
        unit,
        ids.map((id) => remove('eip', id)),
      );
      expect(await store.head(unit)).toMatchObject({
        version: 2,
        count: 0,
        digest: '000000000000',
      });
    });

    test('the digest kept by increments is that of the objects, at a thousand a call', async () => {
      const unit = newUnit();
      const all: ObjectRecord[] = [];
      for (let call = 0; call < 4; call++) {
        const batch = Array.from({ length: 1000 }, (_, i) =>
          put('eip', `${call * 900 + i}`, `{"c":${call}}`),
        );
        await store.apply(unit, batch);
      }
      for await (const batch of store.scan(unit)) all.push(...batch);
      expect(all).toHaveLength(3700);
      expect((await store.head(unit)).digest).toBe(digestOf(all));
      expect((await store.head(unit)).count).toBe(3700);
    });

    test('an id may hold colons and slashes, a value any text', async () => {
      const unit = newUnit();
      const odd = put('forward', '198.51.100.8:8000-8099/udp', '{"note":"ü\\"\\n € 漢"}');
      await store.apply(unit, [odd]);
      expect(await everything(store, unit)).toEqual([odd]);
      expect((await store.head(unit)).digest).toBe(digestOf([odd]));
      const [entry] = await entries(store, unit, '0-0');
      expect(entry?.changes).toEqual([odd]);
    });

    test.each([
      ['a kind with a colon', put('a:b', 'x', '{}')],
      ['an empty kind', put('', 'x', '{}')],
      ['an empty id', put('eip', '', '{}')],
      ['an id with a control character', put('eip', 'a\nb', '{}')],
      ['an id that is too long', put('eip', 'x'.repeat(257), '{}')],
      ['an empty value', put('eip', 'x', '')],
      ['a value that is too long', put('eip', 'x', 'x'.repeat(16_385))],
    ])('%s is refused, with all that came along', async (_, bad) => {
      const unit = newUnit();
      const call = store.apply(unit, [put('eip', 'good', '{}'), bad]);
      await expectCode(call, 'EDGE_STORE_BAD_CHANGE');
      expect((await store.head(unit)).version).toBe(0);
    });

    test('more than 1000 changes are refused', async () => {
      const unit = newUnit();
      const many = Array.from({ length: 1001 }, (_, i) => put('eip', `${i}`, '{}'));
      await expectCode(store.apply(unit, many), 'EDGE_STORE_BAD_CHANGE');
    });

    test('expectedVersion: another version is a conflict and changes nothing', async () => {
      const unit = newUnit();
      await store.apply(unit, [put('eip', 'a', '{}')], { expectedVersion: 0 });
      const late = store.apply(unit, [put('eip', 'b', '{}')], { expectedVersion: 0 });
      await expectCode(late, 'EDGE_STORE_CONFLICT');
      expect(await everything(store, unit)).toEqual([put('eip', 'a', '{}')]);
      const next = await store.apply(unit, [put('eip', 'b', '{}')], { expectedVersion: 1 });
      expect(next.version).toBe(2);
    });

    test('of two writers that expect the same version, one wins', async () => {
      const unit = newUnit();
      const write = (writer: Store, id: string) =>
        writer.apply(unit, [put('eip', id, '{}')], { expectedVersion: 0 });
      const results = await Promise.allSettled([write(store, 'a'), write(under.other, 'b')]);
      expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
      expect((await store.head(unit)).count).toBe(1);
    });

    test('raise lifts the version, changes nothing else, and wakes readers', async () => {
      const unit = newUnit();
      const changes = [put('eip', '198.51.100.7', '{"a":1}')];
      await store.apply(unit, changes);
      const before = await store.head(unit);
      const woken = under.other.read(unit, before.tail, 5000, never);
      expect(await store.raise(unit, 40, { expectedVersion: 1, author: 'op' })).toBe(40);
      const { digest, count } = before;
      const after = { version: 40, digest, count };
      expect(await store.head(unit)).toMatchObject(after);
      expect(await woken).toMatchObject([{ ...after, digestBefore: digest, changes: [] }]);
      expect(await everything(store, unit)).toEqual(changes);
      expect(await store.raise(unit, 5, { expectedVersion: 40 })).toBe(40);
      const late = store.raise(unit, 50, { expectedVersion: 39 });
      await expect(late).rejects.toMatchObject({ code: 'EDGE_STORE_CONFLICT' });
      expect((await store.apply(unit, [put('eip', 'b', '{}')])).version).toBe(41);
      expect(await entries(store, unit, before.tail)).toHaveLength(2);
    });

    test('raise lifts a unit that nobody wrote to', async () => {
      const unit = newUnit();
      expect(await store.raise(unit, 7, { expectedVersion: 0 })).toBe(7);
      const head = { version: 7, digest: '000000000000', count: 0 };
      expect(await store.head(unit)).toMatchObject(head);
    });

    test('a read waits for the next apply and is woken by it', async () => {
      const unit = newUnit();
      const reading = store.read(unit, '0-0', 60_000, never);
      await under.other.apply(unit, [put('eip', 'a', '{}')]);
      expect(await reading).toMatchObject([{ version: 1, changes: [put('eip', 'a', '{}')] }]);
    });

    test('a read whose signal aborts rejects with its reason, now or while it waits', async () => {
      const unit = newUnit();
      const controller = new AbortController();
      const reading = store.read(unit, '0-0', 20_000, controller.signal);
      const reason = new Error('enough');
      controller.abort(reason);
      await expect(reading).rejects.toBe(reason);
      await expect(store.read(unit, '0-0', 20_000, controller.signal)).rejects.toBe(reason);
      expect(await store.read(unit, '0-0', 1, never)).toEqual([]);
    });

    test('entries come in order, each joined to the one before', async () => {
      const unit = newUnit();
      for (let i = 0; i < 150; i++) await store.apply(unit, [put('eip', 'a', `{"i":${i}}`)]);
      const all = await entries(store, unit, '0-0');
      expect(all.map((entry) => entry.version)).toEqual(
        Array.from({ length: 150 }, (_, i) => i + 1),
      );
      for (const [i, entry] of all.entries()) {
        expect(entry.digestBefore).toBe(all[i - 1]?.digest ?? '000000000000');
      }
    });

    test('a reader whose next entry was trimmed is told; one that has seen it is not', async () => {
      const unit = newUnit();
      for (let i = 0; i < 4; i++) await store.apply(unit, [put('eip', 'a', `{"i":${i}}`)]);
      const all = await entries(store, unit, '0-0');
      await under.trim(unit, 2);
      expect(await store.read(unit, '0-0', 1, never)).toBe('trimmed');
      expect(await store.read(unit, all[0]?.id ?? '', 1, never)).toBe('trimmed');
      expect(await entries(store, unit, all[1]?.id ?? '')).toEqual(all.slice(2));
      expect(await store.read(unit, all[3]?.id ?? '', 1, never)).toEqual([]);
    });

    test('members: who beats is listed with its age, who leaves is not', async () => {
      const one = member('natter-b', { drift: 'eip 198.51.100.7: no', applied: { natter: 12 } });
      await store.heartbeat(one);
      await store.heartbeat(member('natter-a'));
      await store.heartbeat({ ...one, state: 'draining' });
      const listed = await under.other.members('natter');
      expect(listed.map(({ ageMs: _, ...rest }) => rest)).toEqual([
        member('natter-a'),
        { ...one, state: 'draining' },
      ]);
      for (const { ageMs } of listed) expect(ageMs).toSatisfy((age) => age >= 0 && age < 60_000);
      await store.leave('natter', 'natter-b');
      await store.leave('natter', 'never-there');
      expect((await store.members('natter')).map((each) => each.node)).toEqual(['natter-a']);
      expect(await store.members('dns')).toEqual([]);
    });

    test('ping and inspect answer', async () => {
      await store.ping();
      expect(await store.inspect()).toBeInstanceOf(Array);
    });
  });
}

function put(kind: string, id: string, value: string): ObjectRecord {
  return { kind, id, value };
}

function remove(kind: string, id: string): Change {
  return { kind, id, value: null };
}

function member(node: string, more: Partial<Member> = {}): Member {
  const base = { service: 'natter', node, version: '1.0', state: 'serving', applied: {} };
  return { ...base, startedAt: 1, ...more };
}

async function everything(store: Store, unit: string): Promise<ObjectRecord[]> {
  const all: ObjectRecord[] = [];
  for await (const batch of store.scan(unit)) all.push(...batch);
  return all.sort((a, b) => (a.kind + a.id < b.kind + b.id ? -1 : 1));
}

async function entries(store: Store, unit: string, afterId: string): Promise<StreamEntry[]> {
  const all: StreamEntry[] = [];
  const never = new AbortController().signal;
  for (;;) {
    const batch = await store.read(unit, all.at(-1)?.id ?? afterId, 1, never);
    if (batch === 'trimmed') throw new Error('trimmed');
    if (batch.length === 0) return all;
    all.push(...batch);
  }
}

function digestOf(objects: readonly ObjectRecord[]): string {
  const shares = objects.map(({ kind, id, value }) => objectDigest(kind, id, value));
  return formatDigest(shares.reduce(addDigest, 0));
}

async function expectCode(call: Promise<unknown>, code: string): Promise<void> {
  const error = await call.then(
    () => undefined,
    (reason: OperationalError) => reason,
  );
  expect(error?.code).toBe(code);
}
