// What the kernel's maps shall hold for a plan, in host order: bpf/lb.h says what each field means.
// Pure.

import type { Ipv4 } from '../../shared/net/ipv4.ts';
import { type PortBlock, portBlocks } from '../../shared/net/port-blocks.ts';
import { targetPorts } from '../../shared/site/check-l4.ts';
import type { PlannedPool, PlannedServer, PlannedTarget } from './plan.ts';

/** The defines of lb.h: BTF has none. */
export const SERVER_FLAGS = { dsr: 1, hashSource: 2, leave: 4, hasRanges: 8, only: 16 } as const;
export const REVERSE_FLAGS = { hasRanges: 1, only: 2 } as const;
export const TARGET_GONE = 1;

export type PortKey = { address: number; port: number; protocol: number };
export type RangeKey = PortKey & { prefix_bits: number };
export type ServerValue = { slot: number; pool_slot: number; flags: number; first_port: number };
export type ReverseValue = {
  address: number;
  port_offset: number;
  flags: number;
  server_slot: number;
  target_slot: number;
};
export type TargetValue = { address: number; port: number; flags: number; generation: number };

/** Keys of both kinds of map, and one value for each. */
export type PortEntries<Value> = {
  ports: { key: PortKey; value: Value }[];
  ranges: { key: RangeKey; value: Value }[];
};

export type Entries = {
  targets: { slot: number; value: TargetValue }[];
  reverse: PortEntries<ReverseValue>;
  servers: PortEntries<ServerValue>;
};

/** Bits of a range key before its port. */
const RANGE_BITS = 48;
const ALL_PORTS = 16;

/** `before`: of the same objects, where only health is another. */
export function entriesOf(
  servers: readonly PlannedServer[],
  pools: readonly PlannedPool[],
  before: Entries | undefined,
): Entries {
  return {
    targets: pools.flatMap(({ targets }) => targets.map(targetEntry)),
    reverse: before?.reverse ?? reverseEntries(servers),
    servers: before?.servers ?? serverEntries(servers),
  };
}

function targetEntry({ slot, generation, address, target, isGone }: PlannedTarget) {
  const flags = isGone ? TARGET_GONE : 0;
  return { slot, value: { address, port: target.port ?? 0, flags, generation } };
}

function serverEntries(servers: readonly PlannedServer[]): PortEntries<ServerValue> {
  const entries = new Ports<ServerValue>();
  for (const { server, address, protocol, slot, pool } of servers) {
    const value = {
      slot,
      pool_slot: pool.slot,
      flags: serverFlags(server),
      first_port: server.port,
    };
    entries.add({ address, protocol, first: server.port, last: server.lastPort }, value);
  }
  const { hasRanges, only } = SERVER_FLAGS;
  return entries.all(
    (value, ranges) => ({ ...value, flags: value.flags | only | (ranges ? hasRanges : 0) }),
    { slot: 0, pool_slot: 0, flags: 0, first_port: 0 },
    hasRanges,
  );
}

function serverFlags({ mode, hash, lost }: PlannedServer['server']): number {
  const { dsr, hashSource, leave } = SERVER_FLAGS;
  return (
    (mode === 'dsr' ? dsr : 0) |
    (hash === 'source' ? hashSource : 0) |
    (lost === 'leave' ? leave : 0)
  );
}

function reverseEntries(servers: readonly PlannedServer[]): PortEntries<ReverseValue> {
  const entries = new Ports<ReverseValue>();
  for (const { server, address: vip, protocol, slot, pool } of servers) {
    if (server.mode === 'dsr') continue;
    for (const { address, target, slot: targetSlot } of pool.targets) {
      const ports = targetPorts(server, target);
      const offset = (server.port - ports.first) & 0xffff;
      const value = { address: vip, port_offset: offset, flags: 0, server_slot: slot };
      entries.add({ address, protocol, ...ports }, { ...value, target_slot: targetSlot });
    }
  }
  const { hasRanges, only } = REVERSE_FLAGS;
  return entries.all(
    (value, ranges) => ({ ...value, flags: only | (ranges ? hasRanges : 0) }),
    { address: 0, port_offset: 0, flags: 0, server_slot: 0, target_slot: 0 },
    hasRanges,
  );
}

type Ranged = { address: Ipv4; protocol: number; first: number; last: number };

/** Gathers entries, and what the entry of port 0 says of each address and protocol. */
class Ports<Value extends { flags: number }> {
  readonly #ports: { key: PortKey; value: Value }[] = [];
  readonly #ranges: { key: RangeKey; value: Value }[] = [];
  readonly #together = new Map<string, { key: PortKey; values: Value[]; hasRanges: boolean }>();

  add({ address, protocol, first, last }: Ranged, value: Value): void {
    const isRange = first !== last;
    if (!isRange) this.#ports.push({ key: { address, port: first, protocol }, value });
    else {
      for (const block of portBlocks(first, last)) {
        this.#ranges.push({ key: rangeKey(address, protocol, block), value });
      }
    }
    const name = `${address} ${protocol}`;
    const known = this.#together.get(name);
    if (known === undefined) {
      const key = { address, port: 0, protocol };
      this.#together.set(name, { key, values: [value], hasRanges: isRange });
    } else {
      known.values.push(value);
      known.hasRanges ||= isRange;
    }
  }

  /** `only`: of the one value that an address and protocol has; `several`: where it has more. */
  all(
    only: (value: Value, hasRanges: boolean) => Value,
    several: Value,
    hasRangesFlag: number,
  ): PortEntries<Value> {
    const together = [...this.#together.values()].map(({ key, values, hasRanges }) => {
      const [value, ...more] = values;
      if (value !== undefined && more.length === 0) return { key, value: only(value, hasRanges) };
      return { key, value: { ...several, flags: hasRanges ? hasRangesFlag : 0 } };
    });
    return { ports: [...this.#ports, ...together], ranges: this.#ranges };
  }
}

function rangeKey(address: Ipv4, protocol: number, { port, bits }: PortBlock): RangeKey {
  return { prefix_bits: RANGE_BITS + bits, address, protocol, port };
}

/** By what a server is known again in the maps: its first entry there. */
export function firstEntry({ address, protocol, port, lastPort }: FirstEntry): string {
  if (port === lastPort) return entryName({ address, protocol, port }, ALL_PORTS);
  const [block] = portBlocks(port, lastPort);
  return entryName({ address, protocol, port }, block?.bits ?? 0);
}

type FirstEntry = { address: number; protocol: number; port: number; lastPort: number };

/** `bits` of the port: 16 is one port. */
export function entryName({ address, protocol, port }: PortKey, bits: number): string {
  return `${address} ${protocol} ${port}/${bits}`;
}
