// A map by the path that it is pinned at, without the object that made it.
import { basename } from 'node:path';
import { libbpf, libc } from './ffi.ts';
import { KernelMap } from './map.ts';
import { isPerCpu } from './map-rules.ts';
import { openPinned, shapeOf } from './pin.ts';
import type { PinnedMap } from './types.ts';

/** Its descriptor is its own, not an object's. */
class OpenedMap extends KernelMap {
  override close(): void {
    const { fd } = this;
    super.close();
    if (fd >= 0) libc().close(fd);
  }
}

export function openPinnedMap(path: string): PinnedMap | undefined {
  const fd = openPinned(path);
  if (fd === undefined) return undefined;
  try {
    const shape = shapeOf(fd, basename(path));
    return new OpenedMap(shape, fd, isPerCpu(shape.type) ? libbpf().libbpf_num_possible_cpus() : 1);
  } catch (error) {
    libc().close(fd);
    throw error;
  }
}
