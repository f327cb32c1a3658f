// What is wrong with a zone, told at once and bounded: of each level the first fifty, and how many
// more there are. Pure.
import type { Place, ZoneProblem } from './types.ts';

const MAX_TOLD = 50;

type Level = ZoneProblem['level'];

export class Problems {
  readonly #told: ZoneProblem[] = [];
  readonly #counts = { refusal: 0, warning: 0 };

  /** `message` is only asked for when it will be told, `place` too. */
  add(level: Level, place: () => Place | undefined, message: () => string): void {
    if (++this.#counts[level] > MAX_TOLD) return;
    this.#told.push({ level, place: place(), message: message() });
  }

  get refusals(): number {
    return this.#counts.refusal;
  }

  /** In the order of their finding, refusals first; the words of how many more behind each. */
  list(): ZoneProblem[] {
    return [...this.#of('refusal'), ...this.#of('warning')];
  }

  #of(level: Level): ZoneProblem[] {
    const told = this.#told.filter((each) => each.level === level);
    const more = this.#counts[level] - told.length;
    if (more === 0) return told;
    const what = `${level}${more === 1 ? '' : 's'}`;
    return [...told, { level, place: undefined, message: `and ${more} more ${what}` }];
  }
}
