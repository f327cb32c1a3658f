// Connections to targets (docs/balancing.md, H5): opened in time or not at all, kept by target and
// identity, closed when nobody may use them any more.
import type { OnReadOpts } from 'node:net';
import type { Clock } from '../../../shared/clock.ts';
import type { PoolProxy } from '../../../shared/site/lb-objects.ts';
import type { PoolState, TargetState } from '../../pools/types.ts';
import type { ConnectFailure } from '../types.ts';
import type { ClientSocket } from '../wiring.ts';
import { Dial, type DialDone } from './dial.ts';
import { Http1Connection, type Http1Owner } from './http1-connection.ts';
import type { OpenSocket, SessionDone } from './http2-sessions.ts';
import { type Identity, identityKey, identityOf } from './identity.ts';
import { ReadBuffer } from './read-buffer.ts';
import { type Shared, TargetEntry } from './target-entry.ts';
import type { ConnectOptions, PoolLike, TargetConnection, TargetUpstreams } from './types.ts';

/** Entries are looked at for what is too old this often. */
const EXPIRY_MS = 1000;

export function createUpstreams(options: { clock: Clock }): TargetUpstreams {
  return new TargetPool(options.clock);
}

/** All targets under one identity. */
type Realm = {
  identity: Identity;
  entries: Map<string, TargetEntry>;
  /** The same by the objects that requests come with. */
  known: WeakMap<TargetState, TargetEntry>;
};

class TargetPool implements TargetUpstreams {
  readonly #clock: Clock;
  readonly #shared: Shared;
  readonly #realms = new Map<string, Realm>();
  #realmOf = new WeakMap<PoolProxy, Realm>();
  readonly #dials = new Set<Dial>();
  #open = 0;
  #expiredMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#shared = { nowMs: clock.monotonicMs(), idle: 0, isClosed: false };
  }

  get idle(): number {
    let { idle } = this.#shared;
    for (const { sessions } of this.#entries()) idle += sessions.idle;
    return idle;
  }

  get open(): number {
    return this.#open;
  }

  takeIdle(pool: PoolLike, target: TargetState): TargetConnection | undefined {
    return this.#entryOf(pool, target).take();
  }

  connect(
    pool: PoolLike,
    target: TargetState,
    options: ConnectOptions,
    done: (result: TargetConnection | ConnectFailure) => void,
  ): () => void {
    const entry = this.#entryOf(pool, target);
    const mayShare = !options.fresh && options.proxyHeader === undefined;
    const idle = mayShare ? entry.take() : undefined;
    if (idle !== undefined) {
      done(idle);
      return nothing;
    }
    if (!entry.identity.isHttp2) return this.#connectHttp1(entry, options, done);
    const open: OpenSocket = (opened) => this.#dial(entry, options, undefined, opened);
    return entry.sessions.connect(open, mayShare, done);
  }

  #connectHttp1(entry: TargetEntry, options: ConnectOptions, done: SessionDone): () => void {
    const buffer = new ReadBuffer();
    const connection = new Http1Connection(options.proxyHeader ? UNPOOLED : entry, buffer);
    const onread = {
      buffer: buffer.next as () => Buffer, // undefined after the first: as before
      callback: (count: number, bytes: Uint8Array) => connection.onRead(count, bytes as Buffer),
    };
    return this.#dial(entry, options, onread, (result) => {
      if ('kind' in result) return done(result);
      connection.attach(result, this.#shared.nowMs);
      if (entry.identity.tls !== undefined) connection.readData();
      done(connection);
    });
  }

  stream(
    pool: PoolLike,
    target: TargetState,
    options: { proxyHeader?: Buffer; connectMs: number },
    done: (result: ClientSocket | ConnectFailure) => void,
  ): () => void {
    const entry = this.#entryOf(pool, target);
    // What the client says on it may be any protocol.
    return this.#dial(entry, options, undefined, done, false);
  }

  update(pools: ReadonlyMap<string, PoolState>): void {
    const wanted = new Set<TargetEntry>();
    for (const pool of pools.values()) {
      for (const target of pool.targets) wanted.add(this.#entryOf(pool, target));
    }
    for (const [key, realm] of this.#realms) {
      for (const [at, entry] of realm.entries) {
        if (wanted.has(entry)) continue;
        entry.isGone = true;
        entry.clear();
        realm.entries.delete(at);
      }
      if (realm.entries.size === 0) this.#realms.delete(key);
      realm.known = new WeakMap();
    }
    this.#realmOf = new WeakMap();
  }

  tick(nowMs: number): void {
    this.#shared.nowMs = nowMs;
    for (const dial of this.#dials) {
      if (dial.deadlineMs <= nowMs) dial.expire();
    }
    if (nowMs - this.#expiredMs < EXPIRY_MS) return;
    this.#expiredMs = nowMs;
    for (const entry of this.#entries()) entry.expire();
  }

  close(): void {
    this.#shared.isClosed = true;
    for (const dial of this.#dials) dial.cancel();
    for (const entry of this.#entries()) entry.clear();
  }

  *#entries(): Iterable<TargetEntry> {
    for (const { entries } of this.#realms.values()) yield* entries.values();
  }

  #dial(
    { identity, address, port }: TargetEntry,
    { proxyHeader, connectMs }: { proxyHeader?: Buffer | undefined; connectMs: number },
    onread: OnReadOpts | undefined,
    done: DialDone,
    hasAlpn = true,
  ): () => void {
    const deadlineMs = this.#clock.monotonicMs() + connectMs;
    this.#open++;
    const onClosed = () => {
      this.#open--;
    };
    const { tls } = identity;
    const dial = new Dial(
      { address, port, tls, hasAlpn, proxyHeader, deadlineMs, onread, onClosed },
      (result) => {
        this.#dials.delete(dial);
        done(result);
      },
    );
    this.#dials.add(dial);
    return () => {
      this.#dials.delete(dial);
      dial.cancel();
    };
  }

  #entryOf({ proxy }: PoolLike, target: TargetState): TargetEntry {
    const realm = this.#realmOf.get(proxy) ?? this.#findRealm(proxy);
    const entry = realm.known.get(target) ?? this.#findEntry(realm, target);
    entry.maxIdle = proxy.maxIdle;
    return entry;
  }

  #findRealm(proxy: PoolProxy): Realm {
    const key = identityKey(proxy);
    let realm = this.#realms.get(key);
    if (realm === undefined) {
      realm = { identity: identityOf(proxy), entries: new Map(), known: new WeakMap() };
      this.#realms.set(key, realm);
    }
    this.#realmOf.set(proxy, realm);
    return realm;
  }

  #findEntry(realm: Realm, target: TargetState): TargetEntry {
    const { address, port } = target;
    const at = `${address} ${port}`;
    let entry = realm.entries.get(at);
    if (entry === undefined) {
      entry = new TargetEntry(realm.identity, address, port, this.#shared);
      realm.entries.set(at, entry);
    }
    realm.known.set(target, entry);
    return entry;
  }
}

/** Of connections that began with a PROXY header: they are one client's. */
const UNPOOLED: Http1Owner = { park: () => false, drop() {} };

function nothing(): void {}
