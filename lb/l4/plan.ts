// From virtual servers, pools and the health of targets to what the kernel shall hold: who serves,
// under which numbers. Numbers stay with their owners over changes and restarts. Pure.

import type { Ipv4 } from '../../shared/net/ipv4.ts';
import { checkedIpv4, checkL4 } from '../../shared/site/check-l4.ts';
import type { VirtualServer } from '../../shared/site/lb-objects.ts';
import type { Pool } from '../../shared/site/pool-objects.ts';
import { type Refusal, refusal } from '../../shared/site/refusal.ts';
import { formatVserverAt } from '../../shared/site/vserver.ts';
import type { TargetId } from '../pools/types.ts';
import { type L4Capacity, mapSizes } from './capacity.ts';
import { type Entries, entriesOf, firstEntry } from './entries.ts';
import { type Serving, type ServingTarget, servingOf, type TargetHealth } from './serving.ts';
import { type RecoveredSlot, type Slot, Slots } from './slots.ts';

export const PROTOCOLS = { tcp: 6, udp: 17 } as const;

/** With the same objects as before, only health is looked at: that is what changes often. */
export type PlanInput = {
  servers: readonly VirtualServer[];
  /** Those that no virtual server names are left out. */
  pools: readonly Pool[];
  healthOf(pool: string, target: TargetId): TargetHealth;
  /** Since the epoch. */
  nowMs: number;
};

export type PlannedTarget = ServingTarget & Slot & { address: Ipv4 };
export type PlannedPool = Omit<Serving, 'targets'> & {
  name: string;
  slot: number;
  targets: readonly PlannedTarget[];
};
export type PlannedServer = {
  id: string;
  server: VirtualServer;
  slot: number;
  address: Ipv4;
  protocol: number;
  pool: PlannedPool;
};

export type L4Plan = {
  servers: readonly PlannedServer[];
  pools: readonly PlannedPool[];
  entries: Entries;
  /** Slots that another had before: their meters start at 0. */
  fresh: { servers: readonly number[]; targets: readonly number[] };
  /** When time alone changes the plan, ms since the epoch; Infinity: never. */
  untilMs: number;
};

/** What an earlier run left in the pinned maps. */
export type Recovered = {
  /** By firstEntry(): the server's own slot, and its pool's. */
  servers: ReadonlyMap<string, { slot: number; poolSlot: number }>;
  /** Alias: the target's id. */
  targets: readonly RecoveredSlot[];
};

export class Planner {
  readonly #capacity: L4Capacity;
  readonly #recovered: Recovered;
  readonly #serverSlots: Slots;
  readonly #targetSlots: Slots;
  #poolSlots: Slots | undefined;
  #before: { input: PlanInput; entries: Entries } | undefined;

  constructor(capacity: L4Capacity, recovered: Recovered) {
    const sizes = mapSizes(capacity);
    const servers = [...recovered.servers].map(([alias, { slot }]) => {
      return { alias, slot, generation: 0 };
    });
    this.#capacity = capacity;
    this.#recovered = recovered;
    this.#serverSlots = new Slots(1, sizes.server_meters, servers);
    this.#targetSlots = new Slots(1, sizes.targets, recovered.targets);
  }

  /** A refusal says all that is wrong, and leaves the numbers as they were. */
  plan(input: PlanInput): L4Plan | Refusal {
    const byName = new Map(input.pools.map((pool) => [pool.name, pool]));
    const used = [...new Set(input.servers.map(({ pool }) => pool))].sort();
    const pools = used.flatMap((name) => byName.get(name) ?? []);
    const before = this.#before && isSame(this.#before.input, input) ? this.#before : undefined;
    const reasons = before === undefined ? this.#reasonsAgainst(input, byName, pools) : [];
    if (reasons.length > 0) return refusal(...reasons);
    const freshTargets = this.#assignTargets(pools);
    const planned = this.#planPools(input, pools);
    const { servers, fresh: freshServers } = this.#planServers(input.servers, planned);
    const entries = entriesOf(servers, planned, before?.entries);
    this.#before = { input, entries };
    return {
      servers,
      pools: planned,
      entries,
      fresh: { servers: freshServers, targets: freshTargets },
      untilMs: Math.min(Number.POSITIVE_INFINITY, ...planned.map(({ untilMs }) => untilMs)),
    };
  }

  #reasonsAgainst(
    { servers }: PlanInput,
    byName: ReadonlyMap<string, Pool>,
    used: readonly Pool[],
  ): string[] {
    const problems = checkL4(servers, byName);
    if (problems.length === 0) return this.#tooMany(servers, used);
    return problems.map(({ id, message }) => `vserver ${id}: ${message}`);
  }

  #tooMany(servers: readonly VirtualServer[], pools: readonly Pool[]): string[] {
    const sizes = mapSizes(this.#capacity);
    const targets = pools.reduce((sum, pool) => sum + pool.targets.length, 0);
    const targetsOf = new Map(pools.map((pool) => [pool.name, pool.targets.length]));
    const nat = servers.filter(({ mode }) => mode === 'nat');
    const pairs = nat.reduce((sum, { pool }) => sum + (targetsOf.get(pool) ?? 0), 0);
    const say = (count: number, room: number, what: string, setting: keyof L4Capacity) =>
      count <= room
        ? []
        : [`${count} ${what}, with room for ${room}: raise capacity.${setting} of lb`];
    return [
      ...say(servers.length, this.#capacity.servers, 'virtual servers', 'servers'),
      ...say(pools.length, this.#capacity.pools, 'pools of virtual servers', 'pools'),
      ...say(targets, this.#capacity.targets, 'targets', 'targets'),
      // Each pair has an entry, and each target one of port 0.
      ...say(pairs + targets, sizes.reverse, 'pairs of nat server and target', 'targets'),
    ];
  }

  #assignTargets(pools: readonly Pool[]): number[] {
    const keys = pools.flatMap(({ name, targets }) =>
      targets.map(({ address, port }) => targetKey(name, address, port ?? 0)),
    );
    return this.#targetSlots.assign(new Set(keys), (key) => key.slice(key.indexOf(' ') + 1));
  }

  #planPools({ servers, healthOf, nowMs }: PlanInput, pools: readonly Pool[]): PlannedPool[] {
    this.#poolSlots ??= new Slots(1, mapSizes(this.#capacity).tables, this.#poolVotes(servers));
    const poolSlots = this.#poolSlots;
    poolSlots.assign(new Set(pools.map(({ name }) => name)), (name) => name);
    return pools.map((pool) => {
      const { name } = pool;
      const { targets, ...serving } = servingOf(pool, (id) => healthOf(name, id), nowMs);
      const numbered = targets.map((one) => {
        const { address, port } = one.target;
        const slot = this.#targetSlots.of(targetKey(name, address, port ?? 0));
        return { ...one, ...slot, address: checkedIpv4(address) };
      });
      return { ...serving, name, slot: poolSlots.of(name).slot, targets: numbered };
    });
  }

  #planServers(
    servers: readonly VirtualServer[],
    pools: readonly PlannedPool[],
  ): { servers: PlannedServer[]; fresh: number[] } {
    const byName = new Map(pools.map((pool) => [pool.name, pool]));
    const found = servers.map((server) => {
      const pool = byName.get(server.pool);
      if (pool === undefined) throw new Error(`pool ${server.pool} was not checked`);
      return { key: firstEntryOf(server), server, pool };
    });
    const keys = new Set(found.map(({ key }) => key));
    const fresh = this.#serverSlots.assign(keys, (key) => key);
    const planned = found.map(({ key, server, pool }) => ({
      id: formatVserverAt(server),
      server,
      slot: this.#serverSlots.of(key).slot,
      address: checkedIpv4(server.address),
      protocol: PROTOCOLS[server.protocol],
      pool,
    }));
    return { servers: planned, fresh };
  }

  /** The maps name no pools: a slot was that pool's which most of its servers have now. */
  #poolVotes(servers: readonly VirtualServer[]): RecoveredSlot[] {
    const votes = new Map<string, { slot: number; alias: string; count: number }>();
    for (const server of servers) {
      const before = this.#recovered.servers.get(firstEntryOf(server));
      if (before === undefined) continue;
      const name = `${before.poolSlot} ${server.pool}`;
      const vote = votes.get(name);
      if (vote !== undefined) vote.count += 1;
      else votes.set(name, { slot: before.poolSlot, alias: server.pool, count: 1 });
    }
    const most = [...votes.values()].sort((a, b) => b.count - a.count);
    // Those of servers that are gone: nobody's, but still named by the maps for a moment.
    const others = [...this.#recovered.servers.values()].map(({ poolSlot }) => poolSlot);
    return [
      ...most.map(({ slot, alias }) => ({ slot, alias, generation: 0 })),
      ...others.map((slot) => ({ slot, alias: '', generation: 0 })),
    ];
  }
}

/** The very same objects, in the same order. */
function isSame(a: PlanInput, b: PlanInput): boolean {
  const are = <T>(some: readonly T[], others: readonly T[]): boolean =>
    some.length === others.length && some.every((one, at) => one === others[at]);
  return are(a.servers, b.servers) && are(a.pools, b.pools);
}

const targetKey = (pool: string, address: string, port: number): string =>
  `${pool} ${targetAlias(address, port)}`;

/** As much of a target as the maps say. `port` 0: the server's. */
export const targetAlias = (address: string, port: number): string => `${address}:${port}`;

function firstEntryOf({ address, protocol, port, lastPort }: VirtualServer): string {
  const at = { address: checkedIpv4(address), protocol: PROTOCOLS[protocol] };
  return firstEntry({ ...at, port, lastPort });
}
