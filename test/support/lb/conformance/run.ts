// Plays many rows at a subject, several at once.
import { type Patience, type Played, play } from './play.ts';
import type { Row } from './row.ts';
import type { Place } from './subjects.ts';

/** With ours each row says what is to come. */
export const AS_SAID: Patience = { quietMs: undefined, waitMs: 15_000 };

/** With others nobody knows what is to come: what is quiet for a while is over. */
export function patienceFor({ setup }: Row): Patience {
  const isSlow = setup.impatient === true || setup.proxy?.timeouts !== undefined;
  const quietMs = setup.dead === undefined ? (isSlow ? 2500 : 400) : 2500;
  return { quietMs, waitMs: Math.max(1000, quietMs) };
}

/** What is found, in the order of the places. */
export async function playAll(
  places: readonly Place[],
  patienceOf: (place: Place) => Patience,
  atOnce = 24,
): Promise<(Played | Error)[]> {
  const found: (Played | Error)[] = [];
  // Who takes long begins first.
  const order = places
    .map((place, index) => ({ place, index, patience: patienceOf(place) }))
    .sort((a, b) => (b.patience.quietMs ?? 0) - (a.patience.quietMs ?? 0));
  let next = 0;
  const worker = async () => {
    for (;;) {
      const turn = order[next++];
      if (turn === undefined) return;
      const { row, at, target } = turn.place;
      const result = await play(row, at, target, turn.patience).catch((error: Error) => error);
      found[turn.index] = result;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return found;
}
