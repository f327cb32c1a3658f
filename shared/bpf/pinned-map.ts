// Maps that no object gives back: those that are opened by the path they are pinned at, and those
// that are made to be put into a map of maps.
import { basename } from 'node:path';
import { viewOf } from './bytes.ts';
import { callFailed } from './failure.ts';
import { libbpf, libc, sizes } from './ffi.ts';
import { KernelMap } from './map.ts';
import { isPerCpu } from './map-rules.ts';
import { mapInfo, openPinned, shapeOf } from './pin.ts';
import { type InnerMap, MAP_TYPES, type MapShape, type PinnedMap } from './types.ts';

const MAP_ID_OFFSET = 4;

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

class CreatedMap extends OpenedMap implements InnerMap {
  readonly id: number;

  constructor(shape: MapShape, fd: number) {
    super(shape, fd, 1);
    this.id = viewOf(mapInfo(fd, shape.name)).getUint32(MAP_ID_OFFSET, true);
  }
}

export function createInnerMap(shape: MapShape): InnerMap {
  const { name, type, keySize, valueSize, maxEntries, flags } = shape;
  const options = { sz: sizes.mapCreateOptions, map_flags: flags };
  const { bpf_map_create: create } = libbpf();
  const fd = create(MAP_TYPES[type], name, keySize, valueSize, maxEntries, options);
  if (fd < 0) throw callFailed('EDGE_BPF_MAP', `map ${name}: create`, fd);
  try {
    return new CreatedMap(shape, fd);
  } catch (error) {
    libc().close(fd);
    throw error;
  }
}
