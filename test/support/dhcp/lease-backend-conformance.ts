// What every LeaseBackend must do: docs/leases.md §3 to §5 and §7, row by row. Run against Redis
// and against the model.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  addressIn,
  blockOf,
  decodeHeader,
  decodeRecord,
  encodeRecord,
  NO_END,
  packKey,
} from '../../../dhcpd/leases/record.ts';
import { CODE, type LeaseBackend, STATE } from '../../../dhcpd/leases/types.ts';
import type { Ipv4 } from '../../../shared/net/ipv4.ts';
import { addressSource, itemOf, keyOf, nodeA, nodeB, one, ran, stored } from './lease-items.ts';
import { opCases } from './lease-op-cases.ts';

export type BackendUnderTest = {
  backend: LeaseBackend;
  /** A second instance's. */
  other: LeaseBackend;
  /** The server starts anew, with its data. */
  restart(): Promise<void>;
  flush(): Promise<void>;
  trim(keep: number): Promise<void>;
};

export function describeLeaseBackend(
  name: string,
  open: () => Promise<BackendUnderTest>,
  close: () => Promise<void>,
): void {
  describe(name, () => {
    let under: BackendUnderTest;
    let backend: LeaseBackend;
    const next = addressSource();
    const never = new AbortController().signal;

    beforeAll(async () => {
      under = await open();
      backend = under.backend;
    });
    afterAll(close);

    const teach = async (address: Ipv4, given: Parameters<typeof itemOf>[2]) => {
      const { code } = await one(backend, 'teach', address, given);
      expect(code).toBe(CODE.done);
    };
    /** The block belongs to another lineage no more: what is in it is doubtful. */
    const adoptAnew = async (address: Ipv4, quarantineSeconds: number) => {
      await under.restart();
      const answer = await again(() => backend.run([itemOf('free', address, {})]));
      if (!('fenced' in answer)) throw new Error('not fenced');
      const adopted = await backend.adopt([answer.block], answer.fenced, quarantineSeconds);
      expect(adopted).toBe(1);
    };

    test.each(opCases)('$op: $what', async ({ op, before, item, code, after }) => {
      const address = next();
      const { now } = await one(backend, 'free', address, {});
      if (before) await teach(address, before(now));
      const wanted = item(now);
      const result = await one(backend, op, address, wanted);
      expect(result.code).toBe(code);
      expect(await stored(backend, address)).toEqual(result.lease);
      if (after) expect(result.lease).toMatchObject(after(result.now, now));
    });

    test('what was written is durable, under this lineage', async () => {
      const [a, b] = [next(), next()];
      await ran(backend, [itemOf('bind', a, { client: 2 }), itemOf('bind', b, { client: 4 })]);
      const blocks = [a, b].map(blockOf);
      expect(await under.other.prove(blocks, await under.other.lineage())).toBe(true);
      expect(await under.other.prove(blocks, 'another lineage.')).toBe(false);
    });

    test('without items, the time', async () => {
      const { now } = await one(backend, 'free', next(), {});
      const answer = await backend.run([]);
      expect(answer).toMatchObject({ results: [], durable: true });
      expect(answer.nowSeconds - now).toBeGreaterThanOrEqual(0);
      expect(answer.nowSeconds - now).toBeLessThan(60);
    });

    test('a record written has the new version of its block; a refusal has none', async () => {
      const address = next();
      const beside = addressIn(blockOf(address), 8);
      const first = await one(backend, 'bind', address, { client: 2 });
      expect(first.lease.version).toBe(1);
      const refused = await one(backend, 'bind', address, { client: 4 });
      expect(refused).toMatchObject({ code: CODE.taken, lease: { version: 1 } });
      const both = [itemOf('bind', address, { client: 2 }), itemOf('bind', beside, { client: 6 })];
      const { results } = await ran(backend, both);
      expect(results.map(({ record }) => decodeRecord(record, 0, address).version)).toEqual([2, 2]);
      const [block] = await backend.read([blockOf(address)]);
      const lineage = decodeHeader(block?.bytes ?? new Uint8Array(0)).lineage;
      expect(decodeHeader(block?.bytes ?? new Uint8Array(0))).toMatchObject({
        version: 2,
        layout: 1,
        quarantineUntil: 0,
      });
      expect((await backend.lineage()).split('+')).toContain(lineage);
      expect(await backend.blocks()).toContain(blockOf(address));
    });

    test('items of a call see one another, in several blocks', async () => {
      const [a, b] = [next(), next()];
      const { results, durable } = await ran(backend, [
        itemOf('bind', a, { client: 2 }),
        itemOf('bind', b, { client: 4 }),
        itemOf('bind', a, { client: 6 }),
        itemOf('release', a, { client: 2, generation: 1 }),
        itemOf('bind', b, { client: 4, leaseSeconds: NO_END, seconds: NO_END }),
      ]);
      expect(results.map(({ code }) => code)).toEqual([0, 0, CODE.taken, 0, 0]);
      expect(durable).toBe(true);
      expect(await stored(backend, a)).toMatchObject({ state: STATE.free, generation: 2 });
      const infinite = { holdUntil: NO_END, toldUntil: NO_END, generation: 1 };
      expect(await stored(backend, b)).toMatchObject(infinite);
    });

    test.each([
      { what: 'of a block that nobody ever used', taken: [], codes: [0, 0, 0, 0, 0] },
      { what: 'with one that is held among them', taken: [2], codes: [0, 0, 1, 0, 0] },
      { what: 'again, by the same instance', taken: [], before: 'reserve', codes: [0, 0, 0, 0, 0] },
    ])('addresses in a row are reserved by one record: $what', async (row) => {
      const block = blockOf(next());
      const addresses = [0, 1, 2, 3, 4].map((at) => addressIn(block, 250 + at));
      for (const at of row.taken) {
        const address = addresses[at] ?? expect.fail();
        await ran(backend, [itemOf('bind', address, { client: 2, state: STATE.bound })]);
      }
      const { record } = itemOf('reserve', addressIn(block, 0), { state: STATE.reserved });
      const items = addresses.map((address) => ({
        op: 'reserve' as const,
        address,
        record,
        seconds: 60,
      }));
      if (row.before) await ran(backend, items);
      const tail = await backend.logTail();
      const { results, nowSeconds } = await ran(backend, items);
      expect(results.map(({ code }) => code)).toEqual(row.codes);
      for (const [at, address] of addresses.entries()) {
        const lease = decodeRecord(results[at]?.record ?? expect.fail(), 0, address);
        expect(await stored(backend, address)).toEqual(lease);
        if (row.codes[at] !== CODE.done) continue;
        const after = { state: STATE.reserved, holdUntil: nowSeconds + 60, instance: nodeA };
        expect(lease).toMatchObject(after);
      }
      const entries = await backend.follow(tail, 1000, never);
      if (entries === 'trimmed') throw new Error('trimmed');
      const logged = entries.reduce((sum, { records }) => sum + records.length / 68, 0);
      expect(logged).toBe(row.codes.filter((code) => code === CODE.done).length);
    });

    test('two writers at once get one address between them', async () => {
      const address = next();
      const both = await Promise.all([
        one(backend, 'bind', address, { client: 2 }),
        one(under.other, 'bind', address, { client: 4, instance: nodeB }),
      ]);
      expect(both.map(({ code }) => code).sort()).toEqual([CODE.done, CODE.taken]);
    });

    test('details come with a binding and go with the next owner', async () => {
      const address = next();
      const details = { hostname: 'printer "ä"', circuitId: '0102' };
      const bound = await one(backend, 'bind', address, { client: 2, details });
      expect(bound.lease.hasDetails).toBe(true);
      expect(await backend.details([addressIn(1, 1), address])).toEqual([undefined, details]);
      const renewed = await one(backend, 'bind', address, { client: 2 });
      expect(renewed.lease.hasDetails).toBe(true);
      const { generation } = renewed.lease;
      await one(backend, 'free', address, { generation, force: true });
      const next2 = await one(backend, 'bind', address, { client: 4 });
      expect(next2.lease.hasDetails).toBe(false);
      expect(await backend.details([address])).toEqual([undefined]);
    });

    test('the log has what was done, and says when entries are gone', async () => {
      const [a, b] = [next(), next()];
      await one(backend, 'bind', b, { client: 8 });
      const tail = await settledTail(backend);
      const event = {
        type: 'bind' as const,
        mac: '02:00:00:00:00:02',
        keyHex: '00',
        hostname: 'h',
      };
      const { results } = await ran(backend, [
        itemOf('bind', a, { client: 2, event }),
        itemOf('bind', b, { client: 4, event }),
      ]);
      const entries = await backend.follow(tail, 5000, never);
      if (entries === 'trimmed') throw new Error('trimmed');
      expect(entries.map(({ instance }) => instance)).toEqual([nodeA]);
      const [entry] = entries;
      const address = Buffer.alloc(4);
      address.writeUInt32BE(a);
      const whole = Buffer.concat([address, results[0]?.record ?? Buffer.alloc(0)]);
      expect(Buffer.from(entry?.records ?? []).toString('hex')).toBe(whole.toString('hex'));
      expect(await backend.follow(entry?.id ?? '', 1, never)).toEqual([]);
      await one(backend, 'reserve', next(), { seconds: 5 });
      await settledTail(backend, entry?.id);
      await under.trim(1);
      expect(await backend.follow(tail, 1, never)).toBe('trimmed');
    });

    test('a follower waits for an entry, and stops when told', async () => {
      const tail = await settledTail(backend);
      const waiting = under.other.follow(tail, 10_000, never);
      await one(backend, 'reserve', next(), { seconds: 5 });
      expect(await waiting).toHaveLength(1);
      const stop = new AbortController();
      const stopped = under.other.follow(await settledTail(backend), 10_000, stop.signal);
      stop.abort(new Error('enough'));
      await expect(stopped).rejects.toThrow('enough');
    });

    test('the first offer stands', async () => {
      const [a, b] = [next(), next()];
      const key = keyOf(next() & 0xffff);
      expect(await backend.offered(key)).toBeUndefined();
      expect(await backend.offer(key, a, 60_000)).toBe(a);
      expect(await under.other.offer(key, b, 60_000)).toBe(a);
      expect(await under.other.offered(key)).toBe(a);
    });

    test('a block of another lineage is fenced until it is adopted', async () => {
      const [a, b] = [next(), next()];
      await ran(backend, [
        itemOf('bind', a, { client: 2, seconds: 500 }),
        itemOf('bind', b, { client: 2, seconds: 500 }),
      ]);
      const old = await backend.lineage();
      await under.restart();
      const items = [itemOf('bind', a, { client: 2, seconds: 500 })];
      const fenced = await again(() => backend.run(items));
      const lineage = await backend.lineage();
      expect(lineage).not.toBe(old);
      expect(fenced).toMatchObject({ block: blockOf(a) });
      if (!('fenced' in fenced)) throw new Error('not fenced');
      expect(old.split('+')).toContain(fenced.fenced);
      expect(await backend.adopt([blockOf(a)], '0'.repeat(16), 50)).toBe(0);
      expect(await backend.adopt([blockOf(a)], fenced.fenced, 50)).toBe(1);
      expect(await backend.adopt([blockOf(a)], fenced.fenced, 50)).toBe(0);
      const [block] = await backend.read([blockOf(a)]);
      const header = decodeHeader(block?.bytes ?? new Uint8Array(0));
      expect(header.quarantineUntil - fenced.nowSeconds - 50).toBeLessThan(20);
      expect(header.version).toBe(2);
      expect(await backend.adopt([blockOf(a)], header.lineage, 9999)).toBe(0);
      await backend.lengthen(blockOf(a), 10);
      await backend.lengthen(blockOf(a), 5000);
      const [longer] = await backend.read([blockOf(a)]);
      const until = decodeHeader(longer?.bytes ?? new Uint8Array(0)).quarantineUntil;
      expect(until).toBeGreaterThanOrEqual(fenced.nowSeconds + 5000);
      expect((await ran(backend, items)).results[0]?.code).toBe(CODE.done);
      expect(await again(() => backend.run([itemOf('free', b, {})]))).toHaveProperty('fenced');
    });

    test('in quarantine only who holds an address, or what nobody had, is bound', async () => {
      const block = blockOf(next());
      const at = (octet: number) => addressIn(block, octet);
      const { now } = await one(backend, 'free', at(0), {});
      const past = now - 10;
      await teach(at(1), { client: 2, state: 1, generation: 1, holdUntil: now + 500 });
      await teach(at(2), { client: 2, state: 1, generation: 1, holdUntil: past });
      await teach(at(3), { client: 2, state: 2, generation: 1, holdUntil: past });
      await one(backend, 'reserve', at(4), { seconds: 500 });
      await one(backend, 'reserve', at(5), { seconds: 500, isLongReserve: true });
      await one(backend, 'reserve', at(6), { seconds: 500, instance: nodeB });
      await adoptAnew(at(1), 400);
      const bind = async (octet: number, want = {}) =>
        (await one(backend, 'bind', at(octet), { client: 2, ...want })).code;
      expect(await bind(1)).toBe(CODE.done);
      expect(await bind(1, { client: 4 })).toBe(CODE.taken);
      expect(await bind(2)).toBe(CODE.quarantine);
      expect(await bind(3)).toBe(CODE.quarantine);
      expect(await bind(4)).toBe(CODE.quarantine);
      expect((await one(backend, 'reserve', at(4), {})).code).toBe(CODE.quarantine);
      expect((await one(backend, 'unreserve', at(4), {})).code).toBe(CODE.quarantine);
      expect(await bind(5, { instance: nodeB, offered: true })).toBe(CODE.reserved);
      expect(await bind(5)).toBe(CODE.done);
      expect(await bind(6, { offered: true })).toBe(CODE.quarantine);
      expect((await one(backend, 'reserve', at(3), {})).code).toBe(CODE.quarantine);
      expect(await bind(7)).toBe(CODE.done);
      expect((await one(backend, 'reserve', at(8), {})).code).toBe(CODE.done);
      expect(await bind(8)).toBe(CODE.done);
      const freed = await one(backend, 'release', at(8), { client: 2, generation: 1, seconds: 0 });
      expect(freed.code).toBe(CODE.done);
      expect(await bind(8)).toBe(CODE.quarantine);
    });

    test('in quarantine a reservation is bound where nobody else was', async () => {
      const block = blockOf(next());
      const at = (octet: number) => addressIn(block, octet);
      const { now } = await one(backend, 'free', at(0), {});
      const past = now - 10;
      await teach(at(1), { client: 2, state: 1, generation: 1, holdUntil: past });
      await teach(at(2), { client: 2, state: 2, generation: 1, holdUntil: past });
      await teach(at(3), { client: 2, state: 2, generation: 1, holdUntil: now + 500 });
      await teach(at(4), { client: 4, state: 1, generation: 1, holdUntil: past });
      await teach(at(5), { client: 4, state: 2, generation: 1, holdUntil: past });
      await teach(at(6), { state: 4, generation: 1, holdUntil: past });
      await one(backend, 'reserve', at(7), { seconds: 500, instance: nodeB });
      await teach(at(8), { client: 4, state: 1, generation: 1, holdUntil: now + 500 });
      await adoptAnew(at(1), 400);
      const bind = async (octet: number) =>
        (await one(backend, 'bind', at(octet), { client: 2, planned: true })).code;
      const codes: number[] = [];
      for (let octet = 1; octet <= 9; octet++) codes.push(await bind(octet));
      const { done, quarantine, reserved, taken } = CODE;
      const refused = [quarantine, quarantine, quarantine, reserved, taken];
      expect(codes).toEqual([done, done, done, ...refused, done]);
      expect(await stored(backend, at(2))).toMatchObject({ state: STATE.bound, generation: 2 });
    });

    test('a block that was flushed is fenced for who knows it, and taught again', async () => {
      const address = next();
      const { lease } = await one(backend, 'bind', address, { client: 2, seconds: 500 });
      await under.flush();
      const item = itemOf('bind', address, { client: 4 });
      const fenced = await backend.run([item]);
      expect(fenced).toMatchObject({ fenced: '', block: blockOf(address) });
      expect(await backend.adopt([blockOf(address)], '', 50)).toBe(1);
      const packedKey = packKey(keyOf(2));
      const known = {
        ...item,
        op: 'teach' as const,
        record: encodeRecord({ ...lease, packedKey }),
      };
      expect((await ran(backend, [known, item])).results.map(({ code }) => code)).toEqual([0, 1]);
    });
  });
}

/** Calls may fail while the server starts, and once because the old connection is gone. */
async function again<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (error) {
      if (tries === 5) throw error;
    }
  }
}

/** The log's last id once it stands still: a Cluster's entries come a little later. */
async function settledTail(backend: LeaseBackend, after?: string): Promise<string> {
  const deadline = performance.now() + 10_000;
  for (let last = await backend.logTail(); ; ) {
    await backend.follow(last, 20, new AbortController().signal).catch(() => []);
    const now = await backend.logTail();
    if (now === last && now !== after) return now;
    if (performance.now() > deadline) throw new Error('the log does not stand still');
    last = now;
  }
}
