// What a client sees that asks all the time while something is done to the site: how many asks were
// answered, and how long it was without an answer at worst.
import type { LabNode } from '../node.ts';
import { until } from '../ready.ts';

/** `isWell`: in the end it was answered again and again. */
export type Seen = { asked: number; answered: number; gapMs: number; isWell: boolean };

/** In a row, before it counts as over. */
const WELL = 10;
const DEADLINE_MS = 40_000;

export const told = ({ asked, answered, gapMs }: Seen): string =>
  `${answered} of ${asked} answered, longest gap ${Math.round(gapMs)} ms`;

/**
 * Asks one by one, before, while and after `change` is made, until `enough` in a row were answered;
 * or for 40 s.
 */
export async function asking(
  ask: () => Promise<boolean>,
  change: () => Promise<unknown>,
  enough = WELL,
): Promise<Seen> {
  const seen = { asked: 0, answered: 0, gapMs: 0 };
  let [well, last] = [0, performance.now()];
  const once = async (): Promise<void> => {
    seen.asked++;
    const isAnswered = await ask();
    well = isAnswered ? well + 1 : 0;
    if (!isAnswered) return;
    const now = performance.now();
    seen.answered++;
    seen.gapMs = Math.max(seen.gapMs, now - last);
    last = now;
  };
  while (seen.asked < enough) await once();
  let isOver = false;
  const changing = change().finally(() => {
    isOver = true;
    well = 0;
  });
  const deadline = performance.now() + DEADLINE_MS;
  const asks = async (): Promise<void> => {
    while (!(isOver && well >= enough) && performance.now() < deadline) await once();
  };
  await Promise.all([changing, asks()]);
  return { ...seen, isWell: well >= enough };
}

const REPLY = /^\[([\d.]+)\] \d+ bytes from .*icmp_seq=(\d+)/gm;

/** The same by ping, a hundred a second. */
export async function pinging(
  from: LabNode,
  address: string,
  change: () => Promise<unknown>,
): Promise<Seen> {
  const child = from.spawn('ping', ['-n', '-D', '-i', '0.01', address], { name: 'ping' });
  const replies = (): { at: number; sequence: number }[] =>
    [...child.output().matchAll(REPLY)].map(([, at, sequence]) => {
      return { at: Number(at), sequence: Number(sequence) };
    });
  const more = async (): Promise<void> => {
    const enough = replies().length + WELL;
    await until(`${from.name}'s pings come back`, () => replies().length >= enough, {
      timeoutMs: DEADLINE_MS,
    });
  };
  try {
    await more();
    await change();
    await more();
  } finally {
    await child.stop();
  }
  const all = replies();
  const gaps = all.slice(1).map(({ at }, before) => at - (all[before]?.at ?? at));
  // What was under way at the end is not counted. The sequence wraps only after eleven minutes.
  const asked = Math.max(...all.map(({ sequence }) => sequence));
  return { asked, answered: all.length, gapMs: 1000 * Math.max(...gaps), isWell: true };
}

/** The one of whom it is longest without an answer. */
export const worst = (all: readonly Seen[]): Seen | undefined =>
  [...all].sort((a, b) => b.gapMs - a.gapMs)[0];

/** `action` starts once `count` have called, and all wait for it. */
export function together(count: number, action: () => Promise<unknown>): () => Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let here = 0;
  return () => {
    if (++here === count) action().then(() => resolve(), reject);
    return promise;
  };
}
