// From a client's bytes to a target's and back: front, forwarder and upstream connections as a
// worker has them, with scripted targets.
import { createForwarder } from '../../../../lb/l7/forward/forwarder.ts';
import { createSticky } from '../../../../lb/l7/forward/sticky.ts';
import type { TimedForwarder } from '../../../../lb/l7/forward/types.ts';
import type { Http1Limits } from '../../../../lb/l7/front-http1/types.ts';
import { RoutePolicy } from '../../../../lb/l7/policy/policy.ts';
import { createUpstreams } from '../../../../lb/l7/upstream/upstreams.ts';
import { Buckets } from '../../../../lb/limits/gcra.ts';
import { createBalancer } from '../../../../lb/pools/balancer.ts';
import type { PoolState, TargetState } from '../../../../lb/pools/types.ts';
import { ManualClock } from '../../../../shared/clock.ts';
import { seededRandom } from '../../../../shared/random.ts';
import { DEFAULT_PROXY, type PoolProxy, type Route } from '../../../../shared/site/lb-objects.ts';
import { LISTENER, ROUTE } from './fakes.ts';
import { FrontRig } from './front-rig.ts';
import { ScriptedTarget } from './target.ts';
import type { Wire } from './wire.ts';

export type StackOptions = {
  route?: Partial<Route>;
  proxy?: Partial<PoolProxy>;
  limits?: Partial<Http1Limits>;
  targets?: number;
};

export class StackRig {
  readonly front: FrontRig;
  readonly targets: readonly ScriptedTarget[];
  readonly #forwarder: TimedForwarder;
  readonly #upstreams: ReturnType<typeof createUpstreams>;

  private constructor(
    front: FrontRig,
    targets: readonly ScriptedTarget[],
    forwarder: TimedForwarder,
    upstreams: ReturnType<typeof createUpstreams>,
  ) {
    this.front = front;
    this.targets = targets;
    this.#forwarder = forwarder;
    this.#upstreams = upstreams;
  }

  static async open(options: StackOptions = {}): Promise<StackRig> {
    const count = options.targets ?? 1;
    const targets = await Promise.all(Array.from({ length: count }, () => ScriptedTarget.open()));
    const clock = new ManualClock();
    const nowMs = () => clock.monotonicMs();
    const pool: PoolState = {
      name: 'p',
      proxy: { ...DEFAULT_PROXY, ...options.proxy },
      targets: targets.map(targetState),
    };
    const balancer = createBalancer(pool, { random: seededRandom(1), nowMs: nowMs() });
    const upstreams = createUpstreams({ clock });
    const forwarder = createForwarder({
      upstreams,
      balancers: () => balancer,
      clock,
      sticky: createSticky(new Uint8Array(32)),
    });
    const buckets = { own: new Buckets(), shared: new Buckets() };
    const policy = new RoutePolicy({ self: 'edge-lb-1', buckets, nowMs, isFull: () => false });
    const routes = [{ ...ROUTE, ...options.route }];
    policy.update({ version: 1, listeners: [LISTENER], routes, pools: [pool], certificates: [] });
    const { limits = {} } = options;
    const front = await FrontRig.open({ policy, forwarder, clock, limits });
    return new StackRig(front, targets, forwarder, upstreams);
  }

  get target(): ScriptedTarget {
    const [first] = this.targets;
    if (first === undefined) throw new Error('there is no target');
    return first;
  }

  async client(): Promise<Wire> {
    return await this.front.client();
  }

  /** Connections to targets that wait for a request. */
  get idle(): number {
    return this.#upstreams.idle;
  }

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 250) {
      await this.front.pass(Math.min(left, 250));
      const now = this.front.clock.monotonicMs();
      this.#upstreams.tick(now);
      this.#forwarder.tick(now);
    }
  }

  async close(): Promise<void> {
    await this.front.close();
    this.#upstreams.close();
    for (const target of this.targets) target.close();
  }
}

function targetState({ port }: ScriptedTarget): TargetState {
  const id = `127.0.0.1:${port}`;
  const always = { weight: 1, tier: 0, health: 'up', upSinceMs: 0 } as const;
  return { id, address: '127.0.0.1', port, ...always };
}
