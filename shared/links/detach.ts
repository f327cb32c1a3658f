// Takes programs off links, and what is pinned away: the end of a data plane that outlives its
// daemon.
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { lockPinDirectory } from '../bpf/pin.ts';
import { pinDirectories } from '../bpf/pins.ts';
import type { Bpf } from '../bpf/types.ts';
import { isDenied } from '../errors.ts';
import { HOOKS, Hooks } from './hook.ts';
import type { HostLink } from './host.ts';

export type Pinned = { pinDirectory: string; filterPriority: number };

/** Throws while a daemon, perhaps with another control socket, has the directory. */
export function lockPins({ pinDirectory }: Pinned): void {
  if (existsSync(pinDirectory)) lockPinDirectory(pinDirectory);
}

export function removePrograms(bpf: Bpf, pinned: Pinned, links: readonly HostLink[]): void {
  const { pinDirectory, filterPriority } = pinned;
  const hooks = new Hooks(bpf, pinDirectory, filterPriority);
  for (const { ifindex } of links) for (const hook of HOOKS) hooks.detach(hook, ifindex);
  for (const path of pinDirectories(pinDirectory)) rmSync(path, { recursive: true, force: true });
  removeEmpty(dirname(pinDirectory));
}

/** The instance's directory, in which another service may have pins, too. */
function removeEmpty(directory: string): void {
  if (!existsSync(directory) || readdirSync(directory).length > 0) return;
  try {
    rmdirSync(directory);
  } catch (error) {
    // A unit makes it, as root.
    if (!isDenied(error)) throw error;
  }
}
