// A zone of master files: read, and checked when there was nothing wrong in reading. Pure.
import type { Name } from '../types.ts';
import { type CheckInput, checkZone } from './check.ts';
import { parseZone } from './parse.ts';
import type { ZoneFiles, ZoneResult } from './types.ts';

/**
 * `path` as `files` knows it. Never throws. `nowSeconds` since 1970, for signatures that end;
 * `smart`: names that policy answers beside the file.
 */
export function loadZone(
  path: string,
  origin: Name,
  files: ZoneFiles,
  nowSeconds: number,
  smart: NonNullable<CheckInput['smart']> = [],
): ZoneResult {
  const { records, placeOf, problems, refused } = parseZone(path, origin, files);
  if (refused) return { zone: undefined, problems };
  const checked = checkZone({ origin, records, placeOf, smart, nowSeconds });
  return { zone: checked.zone, problems: [...problems, ...checked.problems] };
}
