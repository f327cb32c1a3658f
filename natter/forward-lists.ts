// Port forwards by an address, sorted by protocol and port, so that one EIP may have tens of
// thousands: what overlaps is a neighbour. Pure.

import type { PortForward } from './state.ts';

/** Ports before the translation (`first`), or behind it (`to`). */
export type Side = 'first' | 'to';
export type ForwardLists = Map<number, PortForward[]>;

const start = (forward: PortForward, side: Side): number =>
  side === 'first' ? forward.first : forward.toFirst;

/** One in the list that shares a port; those of the list share none with each other. */
export function overlapping(
  list: readonly PortForward[] | undefined,
  forward: PortForward,
  side: Side,
): PortForward | undefined {
  if (list === undefined) return undefined;
  const at = positionOf(list, forward, side);
  return [list[at - 1], list[at]].find((other) => other && overlap(forward, other, side));
}

export function insertForward(
  lists: ForwardLists,
  key: number,
  forward: PortForward,
  side: Side,
): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [forward]);
  else list.splice(positionOf(list, forward, side), 0, forward);
}

export function dropForward(
  lists: ForwardLists,
  key: number,
  forward: PortForward,
  side: Side,
): void {
  const list = lists.get(key) ?? [];
  const at = positionOf(list, forward, side);
  if (list[at] !== forward) throw new Error(`forward ${forward.id} is not in its list`);
  if (list.length === 1) lists.delete(key);
  else list.splice(at, 1);
}

/** Of the first that does not come before the forward. */
function positionOf(list: readonly PortForward[], forward: PortForward, side: Side): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = list[middle];
    if (other !== undefined && isBefore(other, forward, side)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isBefore(a: PortForward, b: PortForward, side: Side): boolean {
  return a.protocol === b.protocol ? start(a, side) < start(b, side) : a.protocol < b.protocol;
}

function overlap(a: PortForward, b: PortForward, side: Side): boolean {
  if (a.protocol !== b.protocol || a.id === b.id) return false;
  const [startA, startB] = [start(a, side), start(b, side)];
  return startA <= startB + (b.last - b.first) && startB <= startA + (a.last - a.first);
}
