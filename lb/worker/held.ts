// A client's connection as the worker holds it, whatever is spoken on it.
import type { TerminationCause } from '../l7/types.ts';

export interface Held {
  /** Nothing has begun that is not ended. */
  readonly isIdle: boolean;
  /** A tunnel, or a stream: it has no end of its own to wait for. */
  readonly isTunnel: boolean;
  /** Of what is open; '' when idle, or of a stream. */
  readonly routeName: string;
  /** Timeouts; called a few times a second. */
  tick(nowMs: number): void;
  /** Closed politely as soon as nothing is open; a tunnel stays. */
  closeWhenIdle(): void;
  /** At once; what is open ends with this cause. */
  destroy(cause: TerminationCause): void;
}
