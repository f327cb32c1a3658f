// What the forwarder's tests stand on: a pool that hands its targets out in order, requests as a
// front makes them, and what the client would have seen.

import { until } from '../../../../lab/ready.ts';
import { createForwarder } from '../../../../lb/l7/forward/forwarder.ts';
import { createSticky } from '../../../../lb/l7/forward/sticky.ts';
import type { ResponseHead } from '../../../../lb/l7/http1/types.ts';
import type { ClientInfo, ForwardFailure, Outgoing, RequestView } from '../../../../lb/l7/types.ts';
import { createUpstreams } from '../../../../lb/l7/upstream/upstreams.ts';
import type { ClientSocket, Incoming } from '../../../../lb/l7/wiring.ts';
import type {
  Balancer,
  Outcome,
  PickFailure,
  PickKey,
  Place,
  PoolStatistics,
  TargetState,
} from '../../../../lb/pools/types.ts';
import { ManualClock } from '../../../../shared/clock.ts';
import { DEFAULT_PROXY, type PoolProxy, type Route } from '../../../../shared/site/lb-objects.ts';
import { route } from '../../../support/lb/objects.ts';

/** Outcomes by target, in order; `open` must be 0 at the end. */
export class FakeBalancer implements Balancer {
  readonly name = 'web';
  readonly proxy: PoolProxy;
  readonly isFailOpen = false;
  readonly outcomes: string[] = [];
  readonly keys: PickKey[] = [];
  targets: TargetState[];
  open = 0;
  requests = 0;
  budget = Number.POSITIVE_INFINITY;
  /** What a request that finds nobody is told; undefined: it waits. */
  refuses: PickFailure | undefined = 'no-target';
  #waiting: ((result: Place | PickFailure) => void)[] = [];

  constructor(targets: TargetState[], proxy: Partial<PoolProxy>) {
    this.targets = targets;
    this.proxy = { ...DEFAULT_PROXY, ...proxy };
  }

  get queued(): number {
    return this.#waiting.length;
  }

  pick(key: PickKey, tried: readonly string[]): Place | undefined {
    this.keys.push(key);
    const state =
      this.targets.find(({ id }) => id === key.sticky && !tried.includes(id)) ??
      this.targets.find(({ id }) => !tried.includes(id)) ??
      this.targets[0];
    if (state === undefined) return undefined;
    this.open++;
    let isEnded = false;
    const end = (outcome: Outcome) => {
      if (isEnded) throw new Error('a place was given back twice');
      isEnded = true;
      this.open--;
      const status = outcome.kind === 'response' ? ` ${outcome.status}` : '';
      this.outcomes.push(`${outcome.kind}${status}`);
    };
    return { target: { id: state.id, state, open: 0, latencyMs: 0 }, end };
  }

  acquire(
    key: PickKey,
    tried: readonly string[],
    _nowMs: number,
    done: (result: Place | PickFailure) => void,
  ): () => void {
    const place = this.pick(key, tried);
    if (place !== undefined || this.refuses !== undefined) {
      done(place ?? this.refuses ?? 'no-target');
      return () => {};
    }
    this.#waiting.push(done);
    return () => {
      const before = this.#waiting.length;
      this.#waiting = this.#waiting.filter((each) => each !== done);
      if (this.#waiting.length < before) done('cancelled');
    };
  }

  /** Somebody is free: those who wait are served. */
  serve(): void {
    for (const done of this.#waiting.splice(0)) done(this.pick({ hash: 0 }, []) ?? 'no-target');
  }

  mayRetry(): boolean {
    return this.budget-- > 0;
  }

  countRequest(): void {
    this.requests++;
  }

  update(): void {}
  tick(): void {}
  explain(): [] {
    return [];
  }

  statistics(): PoolStatistics {
    throw new Error('nobody asks for them here');
  }
}

export const CLIENT: ClientInfo = {
  address: '203.0.113.5',
  port: 4242,
  localAddress: '198.51.100.10',
  localPort: 80,
  scheme: 'http',
  isTrusted: false,
};

const ROUTE = route('all', { action: { kind: 'pool', pool: 'web' } });

export type RequestOptions = {
  method?: string;
  target?: string;
  headers?: Record<string, string>;
  /** Bytes of the body; -1: chunked; undefined: none. */
  bodyBytes?: number;
  isUpgrade?: boolean;
  route?: Partial<Route>;
  client?: Partial<ClientInfo>;
};

export function requestOf(options: RequestOptions = {}): Outgoing {
  const { method = 'GET', target = '/', headers = {}, bodyBytes, isUpgrade = false } = options;
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  if (bodyBytes !== undefined && bodyBytes >= 0) fields.push(`Content-Length: ${bodyBytes}\r\n`);
  if (bodyBytes === -1) fields.push('Transfer-Encoding: chunked\r\n');
  const view: RequestView = { method, host: 'a', target, header: (name) => headers[name] };
  return {
    view,
    client: { ...CLIENT, ...options.client },
    route: { ...ROUTE, ...options.route },
    hasBody: bodyBytes !== undefined,
    bodyBytes: bodyBytes ?? 0,
    isUpgrade,
    headBytes: (authority) =>
      Buffer.from(
        `${method} ${target} HTTP/1.1\r\nHost: ${authority ?? 'a'}\r\n${fields.join('')}\r\n`,
      ),
    headList: (authority) => [
      [':method', method],
      [':scheme', 'http'],
      [':authority', authority ?? 'a'],
      [':path', target],
      ...Object.entries(headers),
    ],
  };
}

/** What the client would see, as lines. */
export class Seen implements Incoming {
  readonly lines: string[] = [];
  readonly over: Promise<void>;
  bytes = 0;
  drains = 0;
  takes = true;
  cookie: string | undefined;
  upgraded: { socket: ClientSocket; rest: Buffer } | undefined;
  #resolve: () => void = () => {};
  #body = '';

  constructor() {
    this.over = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  onInterim(head: ResponseHead): void {
    this.lines.push(`interim ${head.status}`);
  }

  onHead(head: ResponseHead, cookie: string | undefined): void {
    this.cookie = cookie;
    this.lines.push(`head ${head.status}`);
  }

  onBody(piece: Buffer): boolean {
    this.bytes += piece.length;
    if (this.#body.length < 1000) this.#body += piece.toString('latin1');
    return this.takes;
  }

  onEnd(trailers: Buffer | undefined): void {
    this.#end(trailers === undefined ? 'end' : `end ${trailers.toString('latin1').trim()}`.trim());
  }

  onFail({ status, cause }: ForwardFailure): void {
    this.#end(`fail ${status} ${cause}`);
  }

  onCut({ cause }: ForwardFailure): void {
    this.#end(`cut ${cause}`);
  }

  onUpgrade(head: ResponseHead, socket: ClientSocket, rest: Buffer): void {
    this.upgraded = { socket, rest };
    this.#end(`upgrade ${head.status}`);
  }

  onDrain(): void {
    this.drains++;
  }

  #end(line: string): void {
    if (this.#body !== '') this.lines.push(`body ${this.#body}`);
    this.lines.push(line);
    this.#resolve();
  }
}

export function createForwardRig(targets: TargetState[], proxy: Partial<PoolProxy> = {}) {
  return createRigWith(() => new FakeBalancer(targets, proxy));
}

export function createRigWith<B extends Balancer & { open?: number }>(make: (nowMs: number) => B) {
  const clock = new ManualClock();
  const upstreams = createUpstreams({ clock });
  const balancer = make(clock.monotonicMs());
  const sticky = createSticky(Buffer.alloc(32, 7));
  const forwarder = createForwarder({
    upstreams,
    balancers: (name) => (name === 'web' ? balancer : undefined),
    clock,
    sticky,
  });
  return {
    clock,
    upstreams,
    balancer,
    forwarder,
    sticky,
    forward(options: RequestOptions = {}) {
      const seen = new Seen();
      return { seen, forwarding: forwarder.forward(requestOf(options), seen) };
    },
    /** A whole request without a body: what was seen of it. */
    async get(options: RequestOptions = {}) {
      const { seen, forwarding } = this.forward(options);
      await seen.over;
      return { lines: seen.lines, record: forwarding.record, seen };
    },
    async advance(byMs: number): Promise<void> {
      for (let passed = 0; passed < byMs; passed += 100) {
        await clock.advance(100);
        upstreams.tick(clock.monotonicMs());
        forwarder.tick(clock.monotonicMs());
        balancer.tick(clock.monotonicMs());
      }
    },
    /** Nothing is left: no request, no place, no connection. */
    async close(): Promise<void> {
      upstreams.close();
      await until('no connection is open', () => upstreams.open === 0);
      if (forwarder.open > 0) throw new Error(`${forwarder.open} requests are still open`);
      const open = balancer.open ?? placesOf(balancer, clock.monotonicMs());
      if (open > 0) throw new Error(`${open} places were not given back`);
    },
  };
}

function placesOf(balancer: Balancer, nowMs: number): number {
  return balancer.statistics(nowMs).targets.reduce((sum, { open }) => sum + open, 0);
}
