// What changed from one state to the next, by identity: that alone is copied to a thread. Memory
// that threads share is not copied at all. Pure.
import type { OutsideAddresses } from '../answer/alias-table.ts';
import type { ServingState } from '../answer/types.ts';
import type { ZoneImage } from '../image/types.ts';
import type { SmartAnswer } from '../policy/types.ts';

/** Items by place: n ≥ 0 is where it stood before, −1 − n where it stands in `added`. */
export type ListDelta<T> = { places: Int32Array; added: T[] };

/** Plain data. What is absent is as before. */
export type StateDelta = {
  generation: number;
  zones?: ListDelta<ZoneImage>;
  smart?: ListDelta<SmartAnswer>;
  lines?: ServingState['lines'];
  settings?: ServingState['settings'];
  aliases?: ListDelta<OutsideAddresses>;
};

const NONE: readonly never[] = [];

/** Without `before`, all of `after`. */
export function deltaOf(before: ServingState | undefined, after: ServingState): StateDelta {
  const delta: StateDelta = { generation: after.generation };
  if (before?.zones !== after.zones) delta.zones = listDelta(before?.zones ?? [], after.zones);
  if (before?.smart !== after.smart) {
    const { places, added } = listDelta(before?.smart ?? [], after.smart);
    delta.smart = { places, added: added.map(withoutWords) };
  }
  if (before?.lines !== after.lines) delta.lines = after.lines;
  if (before?.settings !== after.settings) delta.settings = after.settings;
  if (before?.aliases !== after.aliases) {
    delta.aliases = listDelta(before?.aliases ?? [], after.aliases ?? []);
  }
  return delta;
}

/** The state that `delta` was made for. Throws for one that was made from another. */
export function applyDelta(before: ServingState | undefined, delta: StateDelta): ServingState {
  const lines = delta.lines ?? before?.lines;
  const settings = delta.settings ?? before?.settings;
  if (lines === undefined || settings === undefined) throw new RangeError('a change of nothing');
  return {
    generation: delta.generation,
    zones: listOf(before?.zones ?? [], delta.zones),
    smart: listOf(before?.smart ?? [], delta.smart),
    lines,
    settings,
    aliases: listOf(before?.aliases ?? NONE, delta.aliases),
  };
}

export function listDelta<T>(before: readonly T[], after: readonly T[]): ListDelta<T> {
  const places = new Int32Array(after.length);
  const added: T[] = [];
  let placeOf: Map<T, number> | undefined;
  for (const [index, item] of after.entries()) {
    if (before[index] === item) {
      places[index] = index;
      continue;
    }
    placeOf ??= new Map(before.map((each, place) => [each, place]));
    places[index] = placeOf.get(item) ?? -1 - added.length;
    if ((places[index] ?? 0) < 0) added.push(item);
  }
  return { places, added };
}

export function listOf<T>(before: readonly T[], delta: ListDelta<T> | undefined): readonly T[] {
  if (delta === undefined) return before;
  return Array.from(delta.places, (place) => {
    const item = place < 0 ? delta.added[-1 - place] : before[place];
    if (item === undefined) throw new RangeError('a change of another list');
    return item;
  });
}

/** Why an answer is as it is, is asked of the main thread only. */
function withoutWords({ choiceOfLine, choices }: SmartAnswer): SmartAnswer {
  return { choiceOfLine, choices: choices.map((choice) => ({ ...choice, steps: [] })) };
}
