// "Did you mean …": the known word nearest to what was typed (edit distance with swapped
// neighbours).

/** The nearest of the known words, when it is near enough to be what was meant. */
export function suggest(typed: string, known: Iterable<string>): string | undefined {
  let best: { word: string; distance: number } | undefined;
  if (typed.length > 64) return undefined;
  for (const word of known) {
    const distance = editDistance(typed.toLowerCase(), word.toLowerCase());
    const near = distance <= Math.max(1, Math.floor(Math.min(typed.length, word.length) / 3));
    if (near && (best === undefined || distance < best.distance)) best = { word, distance };
  }
  return best?.word;
}

/** As a remedy, or none. */
export function didYouMean(typed: string, known: Iterable<string>): string | undefined {
  const word = suggest(typed, known);
  return word === undefined ? undefined : `did you mean "${word}"?`;
}

/** Optimal string alignment distance: insert, delete, replace, or swap two neighbours. */
function editDistance(a: string, b: string): number {
  const width = b.length + 1;
  const cost = new Uint8Array((a.length + 1) * width);
  const at = (i: number, j: number) => cost[i * width + j] ?? 0;
  for (let i = 0; i <= a.length; i++) {
    for (let j = 0; j <= b.length; j++) {
      if (i === 0 || j === 0) {
        cost[i * width + j] = i + j;
        continue;
      }
      const replaced = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, replaced);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) least = Math.min(least, at(i - 2, j - 2) + 1);
      cost[i * width + j] = least;
    }
  }
  return at(a.length, b.length);
}
