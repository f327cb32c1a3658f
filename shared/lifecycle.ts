// The life of a daemon: starting → ready → draining → stopped, or failed. Its parts start in order
// and stop in reverse. The first SIGTERM drains within a deadline, the second ends at once; SIGHUP
// reloads.
import type { Clock } from './clock.ts';
import { describeError, OperationalError } from './errors.ts';
import type { Log } from './log.ts';
import type { Notify } from './notify.ts';

export type LifecycleState = 'starting' | 'ready' | 'draining' | 'stopped' | 'failed';

export type Part = {
  name: string;
  /** May take long; the signal aborts when the daemon is told to stop meanwhile. */
  start(signal: AbortSignal): void | Promise<void>;
  /** Sends traffic elsewhere while still serving; the signal aborts at the deadline. */
  drain?(signal: AbortSignal): void | Promise<void>;
  /** Also after a start that failed midway. */
  stop(): void | Promise<void>;
};

export const lifecycleEvents = {
  'state-changed': {
    explanation: 'The daemon went from one state to the next.',
    remedy: 'Nothing to do, unless the state is failed: the record before it says why.',
  },
  'reload-done': {
    explanation: 'The configuration was read again and is in force.',
    remedy: 'Nothing to do.',
  },
  'reload-refused': {
    explanation: 'The new configuration is wrong or could not be applied; the old one stays.',
    remedy: 'Correct what the record names and reload again.',
  },
  'drain-timeout': {
    explanation: 'Draining took longer than drain.timeout; the daemon stops regardless.',
    remedy: 'Raise drain.timeout if traffic needs longer to leave.',
  },
  'ended-by-force': {
    explanation: 'A second signal ended the daemon while it was stopping.',
    remedy: 'The next start puts in order what was left.',
  },
  'part-stop-failed': {
    explanation: 'A part of the daemon could not be stopped in order; the others still are.',
    remedy: 'Look at the error; what the part held may have been left behind.',
  },
  'daemon-failed': {
    explanation: 'The daemon cannot go on and ends.',
    remedy: 'Correct what the record names; the service manager starts it again.',
  },
  'state-dump': {
    explanation: 'What the daemon knows, written because of SIGUSR1.',
    remedy: 'Nothing to do.',
  },
} as const;

export type LifecycleOptions = {
  parts: readonly Part[];
  log: Log<keyof typeof lifecycleEvents>;
  clock: Clock;
  notify: Notify;
  drainTimeoutMs: () => number;
  /** Validates, then swaps; throws when refused, with the old configuration still in force. */
  reload?: () => Promise<void>;
  dump?: () => unknown;
};

export class Lifecycle {
  readonly #options: LifecycleOptions;
  readonly #started: Part[] = [];
  readonly #starting = new AbortController();
  readonly #draining = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  #state: LifecycleState = 'starting';
  #stopping: Promise<void> | undefined;
  #reloading: Promise<void> | undefined;
  #reloadAgain = false;

  constructor(options: LifecycleOptions) {
    this.#options = options;
    this.#ended.promise.catch(() => {}); // whoever awaits `ended` learns of it
  }

  get state(): LifecycleState {
    return this.#state;
  }

  /** Resolves when stopped; rejects with what made it fail, or when it was ended by force. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /**
   * Resolves when ready, or when it was stopped before that. A part that cannot start fails it all.
   */
  async start(): Promise<void> {
    try {
      for (const part of this.#options.parts) {
        if (this.#stopping !== undefined) return;
        this.#started.push(part);
        await part.start(this.#starting.signal);
      }
    } catch (error) {
      if (this.#stopping !== undefined) return; // its start was aborted
      await this.fail(error);
      return;
    }
    if (this.#stopping !== undefined) return;
    this.#enter('ready');
    if (this.#reloadAgain) void this.reload();
  }

  /** Drains, then stops. */
  stop(): Promise<void> {
    this.#stopping ??= this.#drainAndStop();
    return this.#stopping;
  }

  /** For an error after which serving would be wrong: stops what runs, without draining. */
  fail(error: unknown): Promise<void> {
    this.#options.log.error('daemon-failed', describeError(error), { error });
    this.#draining.abort();
    this.#stopping ??= this.#stopParts().then(() => {
      this.#enter('failed');
      this.#ended.reject(error);
    });
    return this.#stopping;
  }

  /** Several asked for at once become one more; one asked for while starting waits until ready. */
  reload(): Promise<void> {
    if (this.#reloading !== undefined || this.#state === 'starting') this.#reloadAgain = true;
    if (this.#state === 'ready') this.#reloading ??= this.#reloadLoop();
    return this.#reloading ?? Promise.resolve();
  }

  onSignal(name: string): void {
    if (name === 'SIGHUP') void this.reload();
    else if (name === 'SIGUSR1') this.#dump();
    else if (this.#stopping === undefined) void this.stop();
    else this.#endByForce(name);
  }

  #endByForce(signal: string): void {
    const message = `ended by a second ${signal}`;
    this.#options.log.warn('ended-by-force', message);
    this.#ended.reject(new OperationalError('EDGE_ENDED_BY_FORCE', message));
  }

  async #drainAndStop(): Promise<void> {
    const wasReady = this.#state === 'ready';
    this.#starting.abort(new Error('stopped while starting'));
    if (wasReady) {
      this.#enter('draining');
      await this.#drain();
    }
    await this.#stopParts();
    this.#enter('stopped');
    this.#ended.resolve();
  }

  async #drain(): Promise<void> {
    const { clock, log, drainTimeoutMs } = this.#options;
    const { signal } = this.#draining;
    const cancel = clock.after(drainTimeoutMs(), () => {
      log.warn('drain-timeout', 'draining takes too long: stopping now');
      this.#draining.abort(new Error('the drain timeout passed'));
    });
    const drained = Promise.all(
      this.#started.map(async (part) => {
        try {
          await part.drain?.(signal);
        } catch (error) {
          if (!signal.aborted) this.#stopFailed(part, error);
        }
      }),
    );
    await Promise.race([drained, aborted(signal)]);
    cancel();
  }

  async #stopParts(): Promise<void> {
    for (const part of this.#started.splice(0).reverse()) {
      try {
        await part.stop();
      } catch (error) {
        this.#stopFailed(part, error);
      }
    }
  }

  async #reloadLoop(): Promise<void> {
    const { notify, log, reload } = this.#options;
    do {
      this.#reloadAgain = false;
      notify.reloading();
      try {
        await reload?.();
        log.info('reload-done', 'configuration reloaded');
      } catch (error) {
        log.error('reload-refused', describeError(error), { error });
      }
      if (this.#state === 'ready') notify.ready(this.#state);
    } while (this.#reloadAgain);
    this.#reloading = undefined;
  }

  #dump(): void {
    const state = this.#options.dump?.() ?? this.#state;
    this.#options.log.info('state-dump', 'state as asked for', { state });
  }

  #stopFailed(part: Part, error: unknown): void {
    this.#options.log.error('part-stop-failed', `${part.name}: ${describeError(error)}`, { error });
  }

  #enter(to: LifecycleState): void {
    const { log, notify } = this.#options;
    const from = this.#state;
    this.#state = to;
    log.info('state-changed', `${from} → ${to}`, { from, to });
    if (to === 'ready') notify.ready(to);
    else if (to === 'draining' || to === 'stopped' || to === 'failed') {
      notify.stopping();
      notify.status(to);
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
