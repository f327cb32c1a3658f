// The directory of pinned maps, and two next to it. When a version or a `capacity` wants maps of
// another shape, the whole directory is set aside as `-before`: its maps live on in the programs
// that are attached, and new ones are made in its place. Once the new programs are attached it is
// let go: renamed to `-gone`, which is only ever removed. A start that ends between any two steps
// is taken up by the next.

import { join } from 'node:path';
import { OperationalError } from '../errors.ts';
import type { Bpf, BpfObject, LoadOptions } from './types.ts';

export type PinnedLoad = LoadOptions & { pinDirectory: string };

export const beforeOf = (directory: string): string => `${directory}-before`;
const goneOf = (directory: string): string => `${directory}-gone`;
/** Where programs are pinned to their network interfaces. */
const linksOf = (directory: string): string => join(directory, 'tcx');

/** Every directory that a daemon may have left, with its maps. */
export const pinDirectories = (directory: string): string[] => [
  directory,
  beforeOf(directory),
  goneOf(directory),
];

/**
 * Loads over the pinned maps; over new ones when those that are there have another shape:
 * `onReplaced` is told which.
 */
export function loadPinned(
  bpf: Bpf,
  load: PinnedLoad,
  onReplaced: (what: string) => void,
): BpfObject {
  const { pinDirectory } = load;
  const object = loadOrReplace(bpf, load, onReplaced);
  keepLinks(bpf, pinDirectory);
  bpf.removePins(goneOf(pinDirectory));
  return object;
}

/** What was set aside is in use no more. */
export function letGo(bpf: Bpf, directory: string): void {
  bpf.movePins(beforeOf(directory), goneOf(directory));
  bpf.removePins(goneOf(directory));
}

function loadOrReplace(bpf: Bpf, load: PinnedLoad, onReplaced: (what: string) => void): BpfObject {
  try {
    return bpf.load(load);
  } catch (error) {
    if (!(error instanceof OperationalError) || error.code !== 'EDGE_BPF_PIN_MISMATCH') throw error;
    setAside(bpf, load.pinDirectory);
    onReplaced(error.message);
    return bpf.load(load);
  }
}

/** Links of attached programs go with the directory that the daemon looks in, not with the maps. */
function keepLinks(bpf: Bpf, directory: string): void {
  for (const from of [beforeOf(directory), goneOf(directory)]) {
    bpf.movePins(linksOf(from), linksOf(directory));
  }
}

function setAside(bpf: Bpf, directory: string): void {
  keepLinks(bpf, directory);
  bpf.removePins(goneOf(directory));
  if (bpf.movePins(directory, beforeOf(directory))) return;
  // The start that set those aside attached nothing: they forward still, and these never did.
  bpf.movePins(directory, goneOf(directory));
}
