// The agents of the pools in use: whom to ask, and what they said last, by target.
import type { Clock } from '../shared/clock.ts';
import type { Log } from '../shared/log.ts';
import type { Random } from '../shared/random.ts';
import type { Pool, PoolTarget } from '../shared/site/pool-objects.ts';
import { AgentChecks } from './agent/agent-checks.ts';
import type { AgentWord } from './agent/line.ts';
import type { LbEvent } from './events.ts';
import { targetIdOf } from './targets.ts';

export type AgentsOptions = { clock: Clock; random: Random; log: Log<LbEvent> };

export class Agents {
  readonly #checks: AgentChecks;
  readonly #listeners = new Set<() => void>();

  constructor({ clock, random, log }: AgentsOptions) {
    this.#checks = new AgentChecks({
      clock,
      random,
      events: {
        onWord: ({ key }, word) => {
          log.info('agent-changed', `${key}: ${textOf(word)}`, { target: key, ...word });
          for (const listener of this.#listeners) listener();
        },
        onSilent: ({ key }, why) => log.warn('agent-silent', `${key}: ${why}`, { target: key }),
        onUnknown: ({ key }, words) => {
          log.warn('agent-unknown-words', `${key}: ${words.join(' ')}`, { target: key, words });
        },
      },
    });
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** All that are asked from now on. */
  want(pools: readonly Pool[]): void {
    const agents = pools.flatMap((pool) => {
      const agent = pool.proxy?.agent;
      if (agent === undefined) return [];
      return pool.targets.map((target) => ({ key: keyOf(pool, target), ...target, ...agent }));
    });
    this.#checks.want(agents);
  }

  wordOf(pool: Pool, target: PoolTarget): AgentWord | undefined {
    return this.#checks.wordOf(keyOf(pool, target));
  }

  /** What it said, and whether it still does, for who asks why. */
  textOf(pool: Pool, target: PoolTarget): string | undefined {
    const word = this.wordOf(pool, target);
    if (word === undefined) return undefined;
    const isSilent = this.#checks.isSilent(keyOf(pool, target));
    return `its agent said ${textOf(word)}${isSilent ? ', and is silent now' : ''}`;
  }

  stop(): void {
    this.#checks.stop();
  }
}

const keyOf = (pool: Pool, target: PoolTarget): string => `${pool.name}/${targetIdOf(target)}`;

function textOf({ state, weightPercent, maxRequests, why }: AgentWord): string {
  const words = [
    state,
    weightPercent === undefined ? undefined : `${weightPercent}%`,
    maxRequests === undefined ? undefined : `at most ${maxRequests} requests`,
  ].filter((word) => word !== undefined);
  return `${words.join(', ') || 'nothing of use'}${why === undefined ? '' : ` (${why})`}`;
}
