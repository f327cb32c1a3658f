// Every key in Redis. `edge:1:` is the layout's version; the braces hold what changes atomically
// and make its keys share a slot of Redis Cluster. Nobody else writes a key by hand.

const LAYOUT = 'edge:1:';

/** Keys of a unit of site objects, such as `natter`. None has a TTL. */
export type UnitKeys = {
  /** Hash: version, digest, count, tail, streamed, author, atMs. Written by apply and raise.lua. */
  head: string;
  /** Hash `kind:id` -> canonical JSON. Written by apply.lua; read by HSCAN and HGET. */
  objects: string;
  /** Stream, bounded: one entry an apply (fields in apply.lua). Read by followers with XREAD. */
  changes: string;
};

/** Keys of the members of a service. None has a TTL: the scripts prune what is a day old. */
export type MemberKeys = {
  /** Sorted set node -> time of the last heartbeat, ms since the epoch by Redis' clock. */
  seen: string;
  /**
   * Hash node -> JSON of the Member. Both written by heartbeat.lua and leave.lua, read by
   * members.lua.
   */
  nodes: string;
};

export function unitKeys(unit: string): UnitKeys {
  const tag = tagOf(unit);
  return { head: `${tag}:head`, objects: `${tag}:objects`, changes: `${tag}:changes` };
}

export function memberKeys(service: string): MemberKeys {
  const tag = tagOf(`members/${service}`);
  return { seen: `${tag}:seen`, nodes: `${tag}:nodes` };
}

/** Keys of leases: docs/leases.md §3 to §5. None but an offer and a proof has a TTL. */
export type LeaseKeys = {
  /** Set: hex ids of the blocks that exist. */
  blocks: string;
  /** Stream, bounded: what leases.lua did. Read by the instances and by operators' programs. */
  log: string;
  /**
   * `id`: hex of the first three octets. String of records; hash last octet -> JSON; and what is
   * written only to wait for, with a TTL.
   */
  block(id: string): { records: string; details: string; proof: string };
  /** String: the address offered, four bytes. Written by offer.lua. */
  offer(clientHex: string): string;
};

export function leaseKeys(service: string): LeaseKeys {
  return {
    blocks: `${tagOf(`${service}/blocks`)}:all`,
    log: `${tagOf(`${service}/leases`)}:log`,
    block(id) {
      const tag = tagOf(`${service}/b/${id}`);
      return { records: `${tag}:r`, details: `${tag}:d`, proof: `${tag}:p` };
    },
    offer: (clientHex) => `${tagOf(`${service}/o`)}:${clientHex}`,
  };
}

/** Keys of the names of leases in one zone; all of them end with the last lease. */
export type NameKeys = {
  /** Hash: name -> JSON. This and the others are written by dhcpd's names.lua alone. */
  names: string;
  /** Hash: address -> name. */
  addresses: string;
  /** Sorted set: name by the end of its lease, s since 1970. */
  ends: string;
  /** Stream, bounded: one entry a change. */
  changes: string;
};

export function nameKeys(service: string, zone: string): NameKeys {
  const tag = tagOf(`${service}/names/${zone}`);
  return {
    names: `${tag}:a`,
    addresses: `${tag}:ptr`,
    ends: `${tag}:until`,
    changes: `${tag}:changes`,
  };
}

/**
 * Keys of health's votes, written by shared/health's scripts alone. Each ends a day after it was
 * last renewed.
 */
export type HealthKeys = {
  /** Hash: prober -> `renewed generation`, ms since the epoch by Redis' clock. */
  probers: string;
  /** Hash: target id -> a vote as text (shared/health/vote.ts). */
  votes(prober: string): string;
  /** Stream, bounded: one entry a write. */
  changes: string;
};

export function healthKeys(): HealthKeys {
  const tag = tagOf('health');
  return {
    probers: `${tag}:probers`,
    votes: (prober) => `${tag}:votes:${prober}`,
    changes: `${tag}:changes`,
  };
}

/** Buckets of shared rate limits, all in one slot. Each has a TTL: until it is full again. */
export type LimitKeys = {
  /** `id`: hex. String: ms since the epoch until which it is paid. Written by spend.lua. */
  bucket(id: string): string;
};

export function limitKeys(): LimitKeys {
  const tag = tagOf('lb/limits');
  return { bucket: (id) => `${tag}:${id}` };
}

function tagOf(unit: string): string {
  if (!/^[a-z0-9][a-z0-9./_-]{0,127}$/.test(unit)) throw new RangeError(`no unit: ${unit}`);
  return `${LAYOUT}{${unit}}`;
}
