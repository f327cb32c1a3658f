// What the kernel's maps and the fake's have in common: kinds, lengths, the failures they report.
import { BpfError, callFailed, E2BIG, EEXIST, ENOSPC } from './failure.ts';
import { type LoadOptions, MAP_TYPES, type MapShape, type MapType } from './types.ts';

export const BPF_F_MMAPABLE = 1 << 10;

/** Maps that are no state: nothing is lost with them. */
const STATELESS: readonly MapType[] = ['ringbuf', 'perf_event_array', 'prog_array'];

export const mapTypeName = (number: number): MapType => {
  const found = Object.entries(MAP_TYPES).find(([, value]) => value === number);
  if (!found) throw new BpfError('EDGE_BPF_OBJECT', `map type ${number} is not supported`);
  // as: a key of MAP_TYPES, which Object.entries widens.
  return found[0] as MapType;
};

export const isPerCpu = (type: MapType): boolean => type.includes('percpu');
export const isArray = (type: MapType): boolean => type === 'array' || type === 'percpu_array';
export const isMapped = (shape: MapShape): boolean =>
  shape.type === 'array' && (shape.flags & BPF_F_MMAPABLE) !== 0;

/** Bytes from one entry to the next in an array's memory. */
export const viewStride = (shape: MapShape): number => Math.ceil(shape.valueSize / 8) * 8;

export const isPinned = (shape: MapShape, options: LoadOptions): boolean =>
  options.pinned?.includes(shape.name) ?? !STATELESS.includes(shape.type);

/** Shorter bytes would let the kernel read beyond them: a programmer's error. */
export function expectLength(map: MapShape, bytes: Uint8Array, length: number, what: string) {
  if (bytes.length !== length) throw wrongLength(map, bytes, length, what);
}

/** At least so many bytes. */
export function expectRoom(map: MapShape, bytes: Uint8Array, length: number, what: string) {
  if (bytes.length < length) throw wrongLength(map, bytes, length, what);
}

const wrongLength = (map: MapShape, bytes: Uint8Array, length: number, what: string) =>
  new RangeError(`map ${map.name}: ${what} of ${bytes.length} bytes, not ${length}`);

/** `result`: a negative errno; `done` of `count`: how far a batch came. */
export function mapFailed(
  map: MapShape,
  verb: string,
  result: number,
  done?: number,
  count?: number,
): BpfError {
  const progress = done === undefined ? '' : ` (${done} of ${count} done)`;
  const what = `map ${map.name}: ${verb}${progress}`;
  const details = done === undefined ? {} : { done };
  const full = verb === 'update' && (result === -E2BIG || result === -ENOSPC);
  if (full && !isArray(map.type) && map.type !== 'array_of_maps') {
    const remedy = `it holds ${map.maxEntries} entries: give it more, or remove some`;
    return callFailed('EDGE_BPF_MAP_FULL', what, result, { ...details, remedy });
  }
  const code = result === -EEXIST ? 'EDGE_BPF_EXISTS' : 'EDGE_BPF_MAP';
  return callFailed(code, what, result, details);
}

const describeShape = (shape: MapShape): string =>
  `${shape.type}, key ${shape.keySize}, value ${shape.valueSize}, ` +
  `${shape.maxEntries} entries, flags 0x${shape.flags.toString(16)}`;

/** EDGE_BPF_PIN_MISMATCH when a pinned map is not of the wanted shape. */
export function expectShape(path: string, pinned: MapShape, wanted: MapShape): void {
  const [is, needed] = [describeShape(pinned), describeShape(wanted)];
  if (is === needed) return;
  const message = `map ${wanted.name} is pinned as (${is}), but (${needed}) is needed`;
  throw new BpfError('EDGE_BPF_PIN_MISMATCH', message, {
    remedy: `stop its users and remove ${path}; what it holds is lost`,
  });
}
