// A client's connection as the worker holds it, whatever is spoken on it. Pure.
import type { TerminationCause } from '../l7/types.ts';

export interface Held {
  /** Nothing has begun that is not ended. */
  readonly isIdle: boolean;
  /** Routes of what has no end of its own to wait for; '' of a stream. */
  readonly tunnelRoutes: readonly string[];
  /** Where a stream goes, once that is known. */
  readonly target?: { pool: string; id: string } | undefined;
  /** Timeouts; called a few times a second. */
  tick(nowMs: number): void;
  /** Closed politely as soon as nothing is open; tunnels stay. */
  closeWhenIdle(): void;
  endTunnels(isGone: (route: string) => boolean, cause: TerminationCause): void;
  /** At once; what is open ends with this cause. */
  destroy(cause: TerminationCause): void;
}
