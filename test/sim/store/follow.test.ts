// Followers in simulated time: stores that fail, freeze, lose replies, trim their stream, and fail
// over to a replica that missed writes. Afterwards every target equals the store, or says that it
// does not.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../../shared/clock.ts';
import { silentLog } from '../../../shared/log.ts';
import type { Random } from '../../../shared/random.ts';
import { pick, seededRandom } from '../../../shared/random.ts';
import { Follower } from '../../../shared/store/follow.ts';
import type { MemoryStore } from '../../../shared/store/memory.ts';
import { MemoryServer } from '../../../shared/store/memory.ts';
import type { Change } from '../../../shared/store/types.ts';
import { MapTarget } from '../../support/follow-target.ts';

const unit = 'natter';

class Site {
  readonly clock = new ManualClock();
  readonly server: MemoryServer;
  readonly writer: MemoryStore;
  readonly #stop = new AbortController();
  readonly #random: Random;
  readonly nodes: { store: MemoryStore; target: MapTarget; follower: Follower }[] = [];

  constructor(seed: number, maxEntries = 20_000) {
    this.#random = seededRandom(seed);
    this.server = new MemoryServer({ clock: this.clock, maxEntries });
    this.writer = this.server.connect();
  }

  async addNode() {
    const store = this.server.connect({ scanBatch: 3 });
    const target = new MapTarget();
    const { clock } = this;
    const random = this.#random;
    const follower = new Follower({ store, unit, target, clock, random, log: silentLog });
    const node = { store, target, follower };
    this.nodes.push(node);
    const started = follower.start(this.#stop.signal);
    await this.clock.advance(1000);
    await started;
    return node;
  }

  async put(id: string, value: string): Promise<void> {
    await this.writer.apply(unit, [{ kind: 'eip', id, value }]);
    await this.clock.advance(1);
  }

  desired(): Map<string, string> {
    return new Map([...this.server.unit(unit).objects].map(([field, { value }]) => [field, value]));
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.clock.advance(10_000);
    await Promise.all(this.nodes.map((node) => node.follower.stopped));
    expect(this.clock.pending, 'timers left behind').toBe(0);
  }
}

describe('a follower', () => {
  let site: Site;
  beforeEach(() => {
    site = new Site(1);
  });
  afterEach(() => site.end());

  test('takes what is there, then each change, without reading everything again', async () => {
    await site.put('a', '1');
    const { target, follower } = await site.addNode();
    await site.put('b', '2');
    await site.writer.apply(unit, [{ kind: 'eip', id: 'a', value: null }]);
    await site.clock.advance(1);
    expect(target.held).toEqual(new Map([['eip:b', '2']]));
    expect(target.origins).toEqual(['store']);
    expect(follower.status()).toMatchObject({ version: 3, desiredVersion: 3, source: 'store' });
  });

  test('keeps the old state when a change is refused, takes all once it is mended', async () => {
    const { target, follower } = await site.addNode();
    await site.put('a', '1');
    await site.put('a', 'bad');
    await site.put('b', '2');
    expect(target.held).toEqual(new Map([['eip:a', '1']]));
    const drift = ['eip:a is bad'];
    expect(follower.status()).toMatchObject({ version: 1, desiredVersion: 3, drift });
    await site.put('a', '3');
    expect(target.held).toEqual(site.desired());
    expect(follower.status()).not.toHaveProperty('drift');
    expect(target.origins).toEqual(['store']);
  });

  test('keeps nothing of a bad state at its start, and takes it once it is mended', async () => {
    await site.put('a', 'bad');
    const { target, follower } = await site.addNode();
    expect(follower.status()).toMatchObject({
      version: 0,
      source: 'none',
      drift: ['eip:a is bad'],
    });
    await site.put('a', '1');
    await site.clock.advance(1000);
    expect(target.held).toEqual(site.desired());
    expect(follower.status()).toMatchObject({ version: 2, source: 'store' });
    expect(follower.status()).not.toHaveProperty('drift');
  });

  test.each(['failing', 'frozen'] as const)('outlives a %s store without a flap', async (mode) => {
    await site.put('a', '1');
    const { store, target, follower } = await site.addNode();
    store.mode = mode;
    await site.put('b', '2');
    await site.clock.advance(30_000);
    expect(follower.status().storeUp).toBe(false);
    expect(follower.status().lastContactMs).toBeGreaterThan(20_000);
    expect(target.held).toEqual(new Map([['eip:a', '1']]));
    store.mode = 'up';
    await site.clock.advance(10_000);
    expect(target.held).toEqual(site.desired());
    expect(follower.status().storeUp).toBe(true);
    expect(target.origins, 'it never had to start over').toEqual(['store']);
  });

  test('reads everything again when its place in the stream is gone', async () => {
    const { store, target } = await site.addNode();
    store.mode = 'failing';
    await site.put('a', '1');
    await site.put('b', '2');
    site.server.trim(unit, 1);
    store.mode = 'up';
    await site.clock.advance(10_000);
    expect(target.held).toEqual(site.desired());
    expect(target.origins).toEqual(['store', 'store']);
  });

  test('forgets what the store forgot in a failover', async () => {
    for (const id of ['a', 'b', 'c']) await site.put(id, '1');
    const { target } = await site.addNode();
    await site.put('d', '1');
    site.server.loseWrites(unit, 1);
    await site.clock.advance(80_000);
    expect(target.held).toEqual(site.desired());
  });

  test('notices a lost write at once when another took its place and its version', async () => {
    for (const id of ['a', 'b', 'c']) await site.put(id, '1');
    const { target } = await site.addNode();
    await site.put('d', '1');
    site.server.loseWrites(unit, 1);
    await site.put('e', '1');
    await site.put('f', '1');
    await site.clock.advance(100);
    expect(target.held).toEqual(site.desired());
  });

  test('does not follow a wiped store until half is back, or it is confirmed', async () => {
    for (const id of ['a', 'b', 'c', 'd']) await site.put(id, '1');
    const { target, follower } = await site.addNode();
    site.server.wipe();
    await site.clock.advance(80_000);
    expect(target.held.size).toBe(4);
    expect(follower.status().drift?.[0]).toContain('went back from version 4');
    await site.put('a', '1');
    await site.clock.advance(20_000);
    expect(target.held.size).toBe(4);
    await site.put('b', '1');
    await site.clock.advance(20_000);
    expect(target.held).toEqual(site.desired());
    expect(follower.status()).not.toHaveProperty('drift');
    site.server.wipe();
    await site.clock.advance(80_000);
    expect(target.held.size).toBe(2);
    follower.confirm();
    await site.clock.advance(80_000);
    expect(target.held.size).toBe(0);
    expect(follower.status()).not.toHaveProperty('drift');
  });

  test('follows a wiped store whose version was raised over what it holds', async () => {
    for (const id of ['a', 'b', 'c', 'd']) await site.put(id, '1');
    const { target, follower } = await site.addNode();
    const stopped = await site.addNode();
    stopped.store.mode = 'failing';
    site.server.wipe();
    await site.put('e', '1');
    await site.clock.advance(80_000);
    expect(follower.status()).toMatchObject({ version: 4, desiredVersion: 1 });
    await site.writer.raise(unit, 5, { expectedVersion: 1 });
    await site.clock.advance(1000);
    expect(target.held).toEqual(new Map([['eip:e', '1']]));
    expect(follower.status()).toMatchObject({ version: 5, desiredVersion: 5 });
    expect(follower.status()).not.toHaveProperty('drift');
    stopped.store.mode = 'up';
    await site.put('f', '1');
    await site.clock.advance(20_000);
    expect(stopped.target.held).toEqual(site.desired());
  });

  test('says so when the objects do not add up to the digest, and serves them', async () => {
    await site.put('a', '1');
    site.server.unit(unit).objects.set('eip:x', { kind: 'eip', id: 'x', value: 'by hand' });
    const { target, follower } = await site.addNode();
    await site.clock.advance(10_000);
    expect(target.held).toEqual(site.desired());
    expect(follower.status().drift?.[0]).toContain('do not add up');
  });

  test('tells its listeners of each new version and of a store that goes and comes', async () => {
    const { store, follower } = await site.addNode();
    const told: string[] = [];
    follower.on('change', (status) => told.push(`${status.version} ${status.storeUp}`));
    await site.put('a', '1');
    store.mode = 'failing';
    await site.clock.advance(1000);
    store.mode = 'up';
    await site.clock.advance(5000);
    expect(told).toEqual(['1 true', '1 false', '1 true']);
  });
});

const seeds = process.env.EDGE_SIM_SEED
  ? [Number(process.env.EDGE_SIM_SEED)]
  : [
      ...Array.from({ length: Number(process.env.EDGE_SIM_SEEDS ?? 60) }, (_, i) => i),
      Math.floor(Math.random() * 2 ** 31),
    ];

test.each(seeds)(
  'whatever happens, all is told or mended in the end: EDGE_SIM_SEED=%i',
  async (seed) => {
    const random = seededRandom(seed);
    const site = new Site(seed, pick(random, [3, 20, 20_000]));
    for (let i = 0; i < 3; i++) await site.addNode();
    for (let step = 0; step < 150; step++) await disturb(site, random);
    site.server.unit(unit); // what now stands is what everybody has to agree on
    for (const { store } of site.nodes) store.mode = 'up';
    await site.clock.advance(300_000);

    const desired = site.desired();
    for (const [index, { target, follower }] of site.nodes.entries()) {
      const { drift, storeUp } = follower.status();
      const what = `node ${index}, seed ${seed}`;
      expect(storeUp, what).toBe(true);
      if (drift === undefined) expect(target.held, what).toEqual(desired);
      else expect(drift.join(), what).toMatch(/is bad|went back/);
      const isBad = [...desired.values()].some((value) => value === 'bad');
      if (isBad) expect(drift, what).toBeDefined();
    }
    await site.end();
  },
);

async function disturb(site: Site, random: Random): Promise<void> {
  const { store } = pick(random, site.nodes);
  const modes = ['up', 'up', 'up', 'failing', 'frozen', 'deaf'] as const;
  const acts: (() => unknown)[] = [
    () => site.writer.apply(unit, randomChanges(random)),
    () => site.writer.apply(unit, randomChanges(random)),
    () => site.writer.apply(unit, randomChanges(random)),
    () =>
      site.writer.apply(unit, [{ kind: 'eip', id: 'z', value: pick(random, ['bad', '1', '2']) }]),
    () => {
      store.mode = pick(random, modes);
    },
    () => store.failNext(random.integer(4)),
    () => site.server.trim(unit, random.integer(3)),
    () => site.server.loseWrites(unit, random.integer(4)),
    () => site.clock.jumpWall(random.integer(10_000) - 5000),
  ];
  await pick(random, acts)();
  await site.clock.advance(pick(random, [0, 1, 10, 300, 3000, 20_000]));
}

function randomChanges(random: Random): Change[] {
  return Array.from({ length: 1 + random.integer(4) }, () => {
    const value = random.integer(4) === 0 ? null : String(random.integer(5));
    return { kind: 'eip', id: String(random.integer(20)), value };
  });
}
