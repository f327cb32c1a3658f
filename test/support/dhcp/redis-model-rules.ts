// What an operation on a lease does: docs/leases.md §3, §4 and §7 once more, written from that page
// and not from the Lua, over records as objects. Data changes by effects, so that a replica can
// have some of them and not yet the rest.
import { decodeRecord, encodeRecord, NO_END, packedKeyOf } from '../../../dhcpd/leases/record.ts';
import { CODE, type Details, type Item, type Lease, STATE } from '../../../dhcpd/leases/types.ts';
import { type Ipv4, ipv4 } from '../../../shared/net/ipv4.ts';

export type Block = {
  lineage: string;
  version: number;
  quarantineUntil: number;
  adoptedVersion: number;
};

export type Entry = { id: string; instance: number; records: Uint8Array; events: string };

export class Data {
  readonly registry = new Set<number>();
  readonly blocks = new Map<number, Block>();
  readonly leases = new Map<Ipv4, Lease>();
  readonly details = new Map<Ipv4, Details>();
  readonly offers = new Map<string, { address: Ipv4; untilMs: number }>();
  log: Entry[] = [];
  /** The log's own last id: it stays when entries go. */
  lastId = '0-0';

  copy(): Data {
    const copy = new Data();
    for (const block of this.registry) copy.registry.add(block);
    for (const [block, header] of this.blocks) copy.blocks.set(block, header);
    for (const [address, lease] of this.leases) copy.leases.set(address, lease);
    for (const [address, details] of this.details) copy.details.set(address, details);
    for (const [key, offer] of this.offers) copy.offers.set(key, offer);
    copy.log = [...this.log];
    copy.lastId = this.lastId;
    return copy;
  }

  lease(address: Ipv4): Lease {
    return this.leases.get(address) ?? decodeRecord(new Uint8Array(0), 0, address);
  }
}

/** Never changes what it was given: objects in Data are replaced, not written to. */
export type Effect = (data: Data) => void;

type Outcome = { code: number; lease?: Lease };
type Scene = { item: Item; old: Lease; given: Lease; now: number; block: Block };

const refused = (code: number): Outcome => ({ code });
const done = (old: Lease, changed: Partial<Lease>): Outcome => {
  return { code: CODE.done, lease: { ...old, ...changed } };
};

export function operate(item: Item, old: Lease, now: number, block: Block): Outcome {
  const given = decodeRecord(item.record, 0, item.address);
  const scene = { item, old, given, now, block };
  const outcome = rules[item.op](scene);
  if (outcome.lease === undefined) return outcome;
  const isZero = outcome.lease.state === STATE.unused;
  const writer = item.op === 'teach' || isZero ? {} : { instance: given.instance };
  const storesDetails = item.details && (item.op === 'bind' || item.op === 'teach');
  const more = storesDetails ? { hasDetails: true } : {};
  const lease = { ...outcome.lease, ...writer, ...more, version: block.version + 1 };
  return { code: outcome.code, lease };
}

const rules: Record<Item['op'], (scene: Scene) => Outcome> = {
  bind(scene) {
    const { item, old, given, now } = scene;
    const refusal = whyNotBound(scene);
    if (refusal !== CODE.done) return refused(refusal);
    const renews = old.state === STATE.bound && sameKey(old, given);
    const hold = plus(now, item.seconds);
    return done(given, {
      state: STATE.bound,
      holdUntil: renews ? Math.max(old.holdUntil, hold) : hold,
      toldUntil: plus(now, given.leaseSeconds),
      boundAt: renews ? old.boundAt : now,
      generation: renews ? old.generation : old.generation + 1,
      hasDetails: old.hasDetails && sameKey(old, given),
      isLongReserve: false,
    });
  },
  reserve(scene) {
    const { item, old, given, now } = scene;
    const isOwn = old.state === STATE.reserved && old.instance === given.instance;
    let refusal = whyNotFree(scene);
    if (isOwn && !isLapsed(scene)) {
      refusal = isSuspect(scene) && !old.isLongReserve ? CODE.quarantine : CODE.done;
    }
    if (refusal !== CODE.done) return refused(refusal);
    return done(old, {
      state: STATE.reserved,
      holdUntil: plus(now, item.seconds),
      isLongReserve: given.isLongReserve,
    });
  },
  unreserve(scene) {
    const { old, given, now } = scene;
    if (old.state !== STATE.reserved) return refused(CODE.nothing);
    if (old.instance !== given.instance) return refused(CODE.reserved);
    if (isSuspect(scene)) return refused(CODE.quarantine);
    if (old.generation === 0) return done(decodeRecord(new Uint8Array(0), 0, old.address), {});
    const holdUntil = Math.min(now - 1, old.toldUntil);
    return done(old, { state: STATE.free, holdUntil, isLongReserve: false });
  },
  release({ item, old, given, now }) {
    if (old.state !== STATE.bound) return refused(CODE.nothing);
    if (!sameKey(old, given) || old.generation !== given.generation) return refused(CODE.stale);
    const holdUntil = Math.min(old.holdUntil, plus(now, item.seconds));
    return done(old, { state: STATE.free, generation: old.generation + 1, holdUntil });
  },
  decline({ item, old, given, now }) {
    if (old.state === STATE.reserved) {
      const isOpen = old.instance === given.instance || !old.isLongReserve;
      if (!item.offered || !isOpen) return refused(CODE.reserved);
    } else if (old.state !== STATE.bound) {
      return refused(CODE.nothing);
    } else if (!sameKey(old, given) || old.generation !== given.generation) {
      return refused(CODE.stale);
    }
    return done(old, {
      state: STATE.declined,
      generation: old.generation + 1,
      holdUntil: plus(now, item.seconds),
      key: new Uint8Array(0),
      hasLongKey: false,
      isLongReserve: false,
    });
  },
  free(scene) {
    const { item, old, given, now } = scene;
    if (old.state === STATE.unused) return refused(CODE.nothing);
    if (old.generation !== given.generation) return refused(CODE.stale);
    const isReserved = old.state === STATE.reserved && !isLapsed(scene);
    if (isReserved && !item.force) return refused(CODE.reserved);
    return done(old, {
      state: STATE.free,
      generation: old.generation + 1,
      holdUntil: item.force ? 0 : plus(now, item.seconds),
      isLongReserve: false,
    });
  },
  teach({ old, given }) {
    if (given.state === STATE.unused) return refused(CODE.nothing);
    if (given.state === STATE.reserved && !given.isLongReserve) return refused(CODE.nothing);
    const isLater = sameKey(old, given) && given.holdUntil > old.holdUntil;
    const isAhead =
      given.generation > old.generation ||
      (given.generation === old.generation && isLater) ||
      (given.state === STATE.bound && old.state === STATE.unused);
    return isAhead ? done(given, {}) : refused(CODE.stale);
  },
};

function whyNotBound(scene: Scene): number {
  const { item, old, given } = scene;
  const inQuarantine = isInQuarantine(scene);
  if (sameKey(old, given)) {
    const isDoubtful = inQuarantine && item.planned === undefined;
    if (old.state === STATE.bound) {
      return isDoubtful && isLapsed(scene) ? CODE.quarantine : CODE.done;
    }
    if (old.state === STATE.free) return isDoubtful ? CODE.quarantine : CODE.done;
  }
  if (old.state !== STATE.reserved || isLapsed(scene)) return whyNotFree(scene);
  const isOwn = old.instance === given.instance;
  if (isOwn && old.isLongReserve) return CODE.done;
  if (!isOwn && (old.isLongReserve || !item.offered)) return CODE.reserved;
  return isSuspect(scene) ? CODE.quarantine : CODE.done;
}

function whyNotFree(scene: Scene): number {
  const { state } = scene.old;
  if (!isLapsed(scene)) {
    if (state === STATE.reserved) return CODE.reserved;
    return state === STATE.declined ? CODE.declined : CODE.taken;
  }
  return isInQuarantine(scene) && state !== STATE.unused ? CODE.quarantine : CODE.done;
}

function isLapsed({ now, old }: Scene): boolean {
  return now > old.holdUntil;
}

function isInQuarantine({ now, block }: Scene): boolean {
  return now <= block.quarantineUntil;
}

function isSuspect(scene: Scene): boolean {
  return isInQuarantine(scene) && scene.old.version <= scene.block.adoptedVersion;
}

export function sameKey(a: Lease, b: Lease): boolean {
  return Buffer.compare(packedKeyOf(a), packedKeyOf(b)) === 0;
}

export function recordOf(lease: Lease): Uint8Array {
  return encodeRecord({ ...lease, packedKey: packedKeyOf(lease) });
}

export function plus(now: number, seconds: number): number {
  return seconds === NO_END ? NO_END : Math.min(NO_END, now + seconds);
}

export const address = (block: number, octet: number): Ipv4 => ipv4(block * 256 + octet);
