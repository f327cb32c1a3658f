import { describe, expect, test } from 'vitest';
import type { Ipv4 } from '../../../../shared/net/ipv4.ts';
import { at, BookRig, clientOf, poolOf } from '../../../support/dhcp/book-rig.ts';

const pool = poolOf('10.0.0.10', '10.0.0.99');

describe('a book alone', () => {
  test('is fresh after its start and leases an address, durably', async () => {
    const rig = new BookRig({ pools: [pool] });
    const { book } = await rig.started(1);
    expect(book.condition).toBe('fresh');
    const address = await rig.lease(book, 1);
    expect(book.get(address)).toMatchObject({ state: 1, leaseSeconds: 600, generation: 1 });
    expect(book.counts(pool)).toEqual({ bound: 1, free: 89, total: 90, declined: 0 });
    expect(book.ofClient(clientOf(1).key, () => true)?.address).toBe(address);
  });

  test('gives the same offer to who asks again, and its address back after its time', async () => {
    const rig = new BookRig({ pools: [pool] });
    const { book } = await rig.started(1);
    const first = await rig.offer(book, 1);
    expect(await rig.offer(book, 1)).toEqual(first);
    expect(await rig.offer(book, 2)).not.toEqual(first);
    const address = await rig.lease(book, 1);
    await rig.clock.advance(2000_000);
    expect(book.isHeld(book.get(address) ?? expect.fail())).toBe(false);
    expect(book.counts(pool).bound).toBe(0);
    expect((await rig.offer(book, 1, [address]))?.address).toBe(address);
  });

  test('renews from memory what is covered, and by a write what is not', async () => {
    const rig = new BookRig({ pools: [pool] });
    const { book } = await rig.started(1);
    const address = await rig.lease(book, 1);
    await rig.clock.advance(290_000);
    expect(await rig.renew(book, 1, address)).toMatchObject({ outcome: 'bound', toldSeconds: 600 });
    expect(book.status().renewals).toEqual({ fromMemory: 1, isolated: 0, written: 0 });
    await rig.clock.advance(500_000);
    expect(await rig.renew(book, 1, address)).toMatchObject({ outcome: 'bound', toldSeconds: 600 });
    expect(book.status().renewals).toEqual({ fromMemory: 1, isolated: 0, written: 1 });
  });

  test('gives every address of a small pool once, and those that came free', async () => {
    const small = poolOf('10.0.0.10', '10.0.0.29', ['10.0.0.15']);
    const rig = new BookRig({ pools: [small] });
    const { book } = await rig.started(1);
    const given = new Set<Ipv4>();
    for (let client = 0; client < 19; client++) given.add(await rig.lease(book, client));
    expect(given.size).toBe(19);
    expect(given.has(at('10.0.0.15'))).toBe(false);
    expect(book.counts(small)).toEqual({ bound: 19, free: 0, total: 19, declined: 0 });
    expect(await rig.offer(book, 99)).toBeUndefined();
    const [first = at('10.0.0.10')] = given;
    expect(await rig.run(book.release(clientOf(0), at('10.0.0.200')))).toBe(false);
    const lease = book.ofClient(clientOf(0).key, () => true);
    expect(await rig.run(book.release(clientOf(0), lease?.address ?? first))).toBe(true);
    expect(await rig.offer(book, 99)).toBeUndefined();
    await rig.clock.advance(65_000);
    expect((await rig.offer(book, 99))?.recycled).toBe(true);
  });

  test('refuses what another holds, with the record that stands in the way', async () => {
    const rig = new BookRig({ pools: [pool] });
    const { book } = await rig.started(1);
    const address = await rig.lease(book, 1);
    expect(await rig.bind(book, 2, address)).toMatchObject({
      outcome: 'taken',
      lease: { address, chaddr: clientOf(1).chaddr },
    });
  });
});

describe('two books', () => {
  test('know of one another by the log, and offer a client the same', async () => {
    const rig = new BookRig({ pools: [pool] });
    rig.members = 2;
    const one = await rig.started(1);
    const two = await rig.started(2);
    const offers = [await rig.offer(one.book, 7), await rig.offer(two.book, 7)];
    expect(offers[0]?.address).toBe(offers[1]?.address);
    const address = offers[0]?.address ?? expect.fail();
    expect(await rig.run(two.book.wasOffered(clientOf(7), address))).toBe('yes');
    expect(await rig.bind(two.book, 7, address)).toMatchObject({ outcome: 'bound' });
    await rig.clock.advance(50);
    expect(one.book.get(address)?.state).toBe(1);
  });
});

describe('without Redis', () => {
  test('renews up to the hold, ever less, and binds nobody', async () => {
    const rig = new BookRig({ pools: [pool] });
    const { book } = await rig.started(1);
    const address = await rig.lease(book, 1);
    rig.model.kill();
    await rig.clock.advance(3000);
    expect(book.condition).toBe('isolated');
    await rig.clock.advance(600_000);
    const renewed = await rig.renew(book, 1, address);
    expect(renewed).toMatchObject({ outcome: 'bound' });
    const told = renewed.outcome === 'bound' ? renewed.toldSeconds : 0;
    expect(told).toBeGreaterThan(250);
    expect(told).toBeLessThan(300);
    expect(await rig.offer(book, 2)).toBeUndefined();
    rig.model.restart();
    await rig.clock.advance(3000);
    expect(book.condition).toBe('fresh');
    expect(book.get(address)).toMatchObject({ state: 1 });
    expect(await rig.lease(book, 3)).not.toBe(address);
  });

  test('new clients come from the long reserve, and Redis learns of them', async () => {
    const outage = { reserve: 4, budgetSeconds: 1200 };
    const rig = new BookRig({ pools: [pool], settings: { outage } });
    const { book, disk, events } = await rig.started(1);
    await rig.clock.advance(11_000);
    expect(book.status().reserve.long).toBe(4);
    rig.model.kill();
    await rig.clock.advance(3000);
    const offer = await rig.offer(book, 5);
    const address = offer?.address ?? expect.fail();
    expect(await rig.bind(book, 5, address)).toMatchObject({ outcome: 'bound', toldSeconds: 600 });
    expect(disk.journal.length).toBe(1);
    expect((await rig.offer(book, 6))?.address).not.toBe(address);
    rig.model.restart();
    await rig.clock.advance(3000);
    expect(book.condition).toBe('fresh');
    expect(disk.journal.length).toBe(0);
    expect(book.status().journal).toEqual({ records: 0, replayed: 1, refused: 0 });
    expect(rig.model.primary.data.lease(address)).toMatchObject({ state: 1, leaseSeconds: 600 });
    // Redis has lost nothing: it had not been told yet.
    expect(events).not.toContain('book-loss');
    const block = rig.model.primary.data.blocks.get(address >>> 8);
    expect((block?.quarantineUntil ?? 0) - book.nowSeconds()).toBeLessThan(16);
  });

  test('the long reserve of a pool that fills up is given to who asks now', async () => {
    const small = poolOf('10.9.0.1', '10.9.0.40');
    const settings = { outage: { reserve: 8, budgetSeconds: 1200 } };
    const rig = new BookRig({ pools: [small], settings });
    const { book } = await rig.started(1);
    await rig.clock.advance(11_000);
    expect(book.status().reserve.long).toBe(5); // an eighth of what is free
    const leased = new Set<Ipv4>();
    for (let tries = 0; tries < 60 && leased.size < 40; tries++) {
      const client = leased.size;
      const offer = await rig.offer(book, client);
      if (offer === undefined) await rig.clock.advance(6000);
      else if ((await rig.bind(book, client, offer.address)).outcome === 'bound') {
        leased.add(offer.address);
      }
    }
    expect(leased.size).toBe(40);
    expect(book.status().reserve.long).toBe(0);
  });

  test('a crash after a promise: the next process tells Redis of it', async () => {
    const outage = { reserve: 4, budgetSeconds: 1200 };
    const rig = new BookRig({ pools: [pool], settings: { outage } });
    const first = await rig.started(1);
    await rig.clock.advance(11_000);
    rig.model.kill();
    await rig.clock.advance(3000);
    const address = (await rig.offer(first.book, 5))?.address ?? expect.fail();
    expect(await rig.bind(first.book, 5, address)).toMatchObject({ outcome: 'bound' });
    first.crash();
    rig.model.restart();
    const { book } = await rig.started(1, { disk: first.disk });
    expect(book.get(address)).toMatchObject({ state: 1 });
    expect(rig.model.primary.data.lease(address)).toMatchObject({ state: 1 });
  });
});

describe('after a change of lineage', () => {
  test('teaches what Redis lost, and keeps the block in quarantine', async () => {
    const rig = new BookRig({ pools: [pool] });
    const { book, events } = await rig.started(1);
    await rig.lease(book, 1);
    const backup = rig.model.backup();
    const lost = await rig.lease(book, 2);
    rig.model.kill();
    rig.model.restart(backup);
    await rig.clock.advance(5000);
    expect(events).toContain('book-loss');
    expect(rig.model.primary.data.lease(lost)).toMatchObject({ state: 1 });
    const block = rig.model.primary.data.blocks.get(lost >>> 8);
    expect(block?.quarantineUntil).toBeGreaterThan(book.nowSeconds() + 5000);
    expect(await rig.renew(book, 2, lost)).toMatchObject({ outcome: 'bound' });
    // Never-used addresses go on, above what may have been lost.
    expect((await rig.lease(book, 3)) & 255).toBeGreaterThan(32);
  });

  test('a crash does not make a loss of what was given back since: the disk follows', async () => {
    const rig = new BookRig({ pools: [pool], settings: { snapshotSeconds: 300 } });
    const first = await rig.started(1);
    await rig.lease(first.book, 1);
    await rig.clock.advance(5000);
    rig.model.kill();
    rig.model.restart();
    await rig.clock.advance(5000);
    const [line = ''] = Buffer.concat(first.disk.snapshot ?? [])
      .toString('latin1')
      .split('\n');
    expect(JSON.parse(line)).toMatchObject({ lineage: await first.backend.lineage() });
    first.crash();
    const { events } = await rig.started(1, { disk: first.disk });
    expect(events).not.toContain('book-lineage');
  });

  test('nothing lost: a short quarantine', async () => {
    const rig = new BookRig({ pools: [pool] });
    const { book, events } = await rig.started(1);
    const address = await rig.lease(book, 1);
    rig.model.kill();
    rig.model.restart();
    await rig.clock.advance(5000);
    expect(events).not.toContain('book-loss');
    const block = rig.model.primary.data.blocks.get(address >>> 8);
    expect((block?.quarantineUntil ?? 0) - book.nowSeconds()).toBeLessThan(16);
    expect(await rig.lease(book, 2)).not.toBe(address);
  });
});
