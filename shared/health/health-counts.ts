// What health counts, for metrics.
import type { CheckSettings, ProbeResult } from './types.ts';

type Key = `${CheckSettings['type']} ${ProbeResult['verdict']}`;

export class HealthCounts {
  readonly flips = { up: 0, down: 0 };
  boardFailures = 0;
  readonly #probes = new Map<Key, number>();

  probe(type: CheckSettings['type'], { verdict }: ProbeResult): void {
    const key: Key = `${type} ${verdict}`;
    this.#probes.set(key, (this.#probes.get(key) ?? 0) + 1);
  }

  /** By type and verdict. */
  probes(): { type: string; verdict: string; count: number }[] {
    return [...this.#probes].map(([key, count]) => {
      const [type = '', verdict = ''] = key.split(' ');
      return { type, verdict, count };
    });
  }
}
