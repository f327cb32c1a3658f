// Where records were written, in the 32 bits that a RecordList keeps beside each: the number of its
// line, counted over all files in the order in which they are read. Pure.
import type { Place } from './types.ts';

type Stretch = { first: number; file: string; line: number };

export class Places {
  /** Of lines that follow each other in one file; `first` is its first tag. */
  readonly #stretches: Stretch[] = [];
  #last = 0;

  /** From here on lines are those of `file`, beginning with `line`. */
  enter(file: string, line: number): void {
    this.#stretches.push({ first: this.#last + 1, file, line });
  }

  /** The tag of a line of the file that was entered last; lines only go forward. */
  tagOf(line: number): number {
    const stretch = this.#stretches[this.#stretches.length - 1];
    if (stretch === undefined) throw new RangeError('no file was entered');
    const tag = stretch.first + line - stretch.line;
    this.#last = tag;
    return tag;
  }

  /** Undefined for 0, which is nobody's. */
  placeOf(tag: number): Place | undefined {
    let [low, high] = [0, this.#stretches.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#stretches[middle]?.first ?? 0) <= tag) low = middle + 1;
      else high = middle;
    }
    const stretch = this.#stretches[low - 1];
    if (stretch === undefined) return undefined;
    return { file: stretch.file, line: stretch.line + tag - stretch.first, column: 1 };
  }
}
