// Several natters, one store, one process: objects change, connections fail, daemons die and come
// back. Whatever happens, each kernel holds a table that was valid, whole; and in the end all hold
// the same.
import { expect, test } from 'vitest';
import { OBJECT_PATH } from '../../natter/daemon.ts';
import { NatterService } from '../../natter/service.ts';
import { ManualClock } from '../../shared/clock.ts';
import { silentLog } from '../../shared/log.ts';
import { formatIpv4, ipv4, parseIpv4 } from '../../shared/net/ipv4.ts';
import { pick, type Random, seededRandom } from '../../shared/random.ts';
import { type ConnectionMode, MemoryServer, type MemoryStore } from '../../shared/store/memory.ts';
import type { Change } from '../../shared/store/types.ts';
import { FakeMachine } from '../support/natter-fake.ts';

const UNIT = 'natter';
const CAPACITY = { eips: 64, forwards: 64, limits: 32 };
const PINS = '/fake/pins';
const PREFIX = { family: 4, address: ipv4(0xc6336400), bits: 24 } as const;

class Instance {
  readonly machine = new FakeMachine();
  readonly node: string;
  readonly #server: MemoryServer;
  readonly #clock: ManualClock;
  readonly #seed: number;
  connection: MemoryStore;
  service: NatterService | undefined;

  constructor(node: string, server: MemoryServer, clock: ManualClock, seed: number) {
    this.node = node;
    this.#server = server;
    this.#clock = clock;
    this.#seed = seed;
    this.connection = server.connect();
  }

  async start(): Promise<void> {
    const { bpf, host } = this.machine;
    this.connection = this.#server.connect();
    this.service = new NatterService({
      node: this.node,
      version: '1',
      objectPath: OBJECT_PATH,
      pinDirectory: PINS,
      capacity: CAPACITY,
      plan: {
        links: { hook: 'tc', uplink: ['up0'], inside: ['in0'], insidePrefixes: [] },
        announce: {
          prefixes: [PREFIX],
          perAddress: false,
          arp: false,
          routes: { table: 254, protocol: 157 },
        },
        drain: { quietMs: 2000, timeoutMs: 10_000 },
      },
      bpf,
      host,
      store: this.connection,
      clock: this.#clock,
      random: seededRandom(this.#seed),
      log: silentLog,
      turn: () => Promise.resolve(),
      monotonicMicroseconds: () => 0n,
    });
    const started = this.service.start(new AbortController().signal);
    await settled(started, this.#clock);
  }

  /** As kill -9 does: nothing is withdrawn, nobody is told. */
  async die(): Promise<void> {
    const { service } = this;
    this.service = undefined;
    this.connection.mode = 'failing';
    if (service !== undefined) await settled(service.stop(), this.#clock);
  }

  get state() {
    return this.service?.keeper.table?.state;
  }

  difference(): number {
    const { state } = this;
    return state === undefined ? 0 : this.machine.difference(state, CAPACITY, PINS);
  }

  get announces(): boolean {
    return this.machine.host.announced.size > 0;
  }
}

/** Lets the clock run until the promise is settled. */
async function settled(promise: Promise<unknown>, clock: ManualClock): Promise<void> {
  let done = false;
  const ended = promise.finally(() => {
    done = true;
  });
  for (let turn = 0; !done && turn < 1000; turn += 1) await clock.advance(20);
  await ended;
}

const eipIds = Array.from({ length: 12 }, (_, index) => `198.51.100.${index + 1}`);
const privates = Array.from({ length: 24 }, (_, index) => `10.0.0.${index + 5}`);
const targets = ['10.0.1.1', '10.0.1.2', '10.0.1.3'];

/** Some of these contradict what is there, or are no objects at all. */
function someChange(random: Random): Change {
  const id = pick(random, eipIds);
  switch (random.integer(8)) {
    case 0:
      return { kind: 'eip', id, value: null };
    case 1:
      return { kind: 'group', id: 'gold', value: random.next() < 0.1 ? null : '{"in":1000000}' };
    case 2:
      return {
        kind: 'forward',
        id: `${id}:80/tcp`,
        value: random.next() < 0.5 ? null : `{"to":"${pick(random, targets)}:8080"}`,
      };
    case 3:
      return { kind: 'eip', id, value: random.next() < 0.3 ? 'not JSON' : '{"group":"gold"}' };
    default:
      return { kind: 'eip', id, value: `{"private":"${pick(random, privates)}"}` };
  }
}

async function step(random: Random, all: Instance[], writer: MemoryStore): Promise<void> {
  const one = pick(random, all);
  const modes: ConnectionMode[] = ['up', 'up', 'failing', 'frozen', 'deaf'];
  const chance = random.integer(13);
  if (chance < 7) {
    await writer.apply(UNIT, [someChange(random), someChange(random)]);
  } else if (chance === 7) {
    one.connection.mode = pick(random, modes);
  } else if (chance === 8) {
    await one.die();
    if (random.next() < 0.7) await one.start();
  } else if (chance === 9) {
    writer.server.trim(UNIT, 1);
  } else if (chance === 12) {
    await makeRight(writer);
  } else if (chance === 10) {
    one.machine.broken = random.next() < 0.5;
  } else {
    const value = random.next() < 0.5 ? '{"drain":true}' : null;
    await writer.apply(UNIT, [{ kind: 'node', id: one.node, value }]);
  }
}

/** A state without contradictions, whatever was there. */
async function makeRight(writer: MemoryStore): Promise<void> {
  const gone: Change[] = [];
  for await (const batch of writer.scan(UNIT)) {
    gone.push(...batch.map(({ kind, id }) => ({ kind, id, value: null })));
  }
  await writer.apply(UNIT, [
    ...gone,
    { kind: 'group', id: 'gold', value: '{"in":1000000}' },
    { kind: 'eip', id: '198.51.100.1', value: '{"private":"10.0.0.5"}' },
    { kind: 'eip', id: '198.51.100.2', value: '{"group":"gold","private":"10.0.0.6"}' },
    { kind: 'eip', id: '198.51.100.3', value: '{}' },
    { kind: 'forward', id: '198.51.100.3:80/tcp', value: '{"to":"10.0.0.7:8080"}' },
  ]);
}

test.each(Array.from({ length: 12 }, (_, seed) => seed + 1))('seed %i', async (seed) => {
  const random = seededRandom(seed);
  const clock = new ManualClock();
  const server = new MemoryServer({ clock });
  const writer = server.connect();
  const all = ['n1', 'n2', 'n3'].map((node, index) => {
    return new Instance(node, server, clock, seed * 10 + index);
  });
  for (const one of all) await one.start();
  for (let turn = 0; turn < 50; turn += 1) {
    await step(random, all, writer);
    await clock.advance(random.integer(3000));
    for (const one of all) expect(one.difference(), `${one.node}, turn ${turn}`).toBe(0);
    for (const one of all) {
      if (one.service?.state === 'running') continue;
      if (one.service !== undefined && one.service.state !== 'starting') {
        await clock.advance(50);
        expect(one.announces, `${one.node} announces as ${one.service.state}`).toBe(false);
      }
    }
  }
  for (const one of all) {
    if (one.service === undefined) await one.start();
    one.connection.mode = 'up';
    one.machine.broken = false;
  }
  await makeRight(writer);
  await clock.advance(30_000);
  const { version } = await writer.head(UNIT);
  for (const one of all) {
    const { state } = one;
    expect(one.service?.keeper.version, one.node).toBe(version);
    expect(one.service?.follower.status().drift, one.node).toBeUndefined();
    expect(one.service?.state, one.node).toBe('running');
    expect(one.announces).toBe(true);
    const eips = [...(state?.slotOfEip.entries() ?? [])].map(([eip]) => formatIpv4(ipv4(eip)));
    expect(eips.sort()).toEqual(['198.51.100.1', '198.51.100.2', '198.51.100.3']);
    const slot = state?.slotOfEip.get(parseIpv4('198.51.100.2') ?? 0) ?? -1;
    expect(state?.limited.get(slot)?.group).toBe('gold');
    expect(one.difference()).toBe(0);
  }
  for (const one of all) await one.die();
  expect(clock.pending).toBe(0);
});
