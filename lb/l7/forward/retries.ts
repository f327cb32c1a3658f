// Whether a request may be tried again, and where (docs/balancing.md, H4). Made for requests whose
// first try failed; the others need none.
import type { Balancer, TargetId } from '../../pools/types.ts';
import type { UpstreamError } from '../types.ts';
import type { TargetConnection } from '../upstream/types.ts';

/** As far as it decides: `isRepeatable`: idempotent, and all of its body is at hand. */
export type Tried = { tries: number; isRepeatable: boolean; isBodyWhole: boolean };

export class Retries {
  /** Targets that it failed at. */
  tried: readonly TargetId[] = [];
  /** The next connection must not be one that was idle. */
  isFreshWanted = false;
  readonly #balancer: Balancer;
  #isFreeTryTaken = false;

  constructor(balancer: Balancer) {
    this.#balancer = balancer;
  }

  /** Nothing was sent: once for free, then by the budget. */
  afterConnect(target: TargetId, tries: number, nowMs: number): boolean {
    this.tried = [...this.tried, target];
    return this.#isFreeOrAllowed(tries, nowMs);
  }

  /** The connection had perhaps died before: once, on a fresh one to the same target. */
  afterError(
    error: UpstreamError,
    connection: TargetConnection,
    { tries, isRepeatable, isBodyWhole }: Tried,
    nowMs: number,
  ): boolean {
    if (error.kind !== 'reset' || error.received || this.isFreshWanted) return false;
    this.isFreshWanted = true;
    if (connection.isUnsent) return isBodyWhole && this.#isFreeOrAllowed(tries, nowMs);
    if (!connection.isReused || !isRepeatable) return false;
    return this.#hasLeft(tries) && this.#balancer.mayRetry(nowMs);
  }

  /** Of a status that the pool retries; the budget is asked when a place was found. */
  afterStatus(target: TargetId, tries: number): boolean {
    this.tried = [...this.tried, target];
    return this.#hasLeft(tries);
  }

  #isFreeOrAllowed(tries: number, nowMs: number): boolean {
    if (!this.#hasLeft(tries)) return false;
    if (this.#isFreeTryTaken) return this.#balancer.mayRetry(nowMs);
    this.#isFreeTryTaken = true;
    return true;
  }

  #hasLeft(tries: number): boolean {
    return tries <= this.#balancer.proxy.retries.count;
  }
}
