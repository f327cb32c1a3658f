// A zone of master files: read, and checked when there was nothing wrong in reading. Pure.
import type { Name } from '../types.ts';
import { checkZone } from './check.ts';
import { parseZone } from './parse.ts';
import type { ZoneFiles, ZoneResult } from './types.ts';

/** `path` as `files` knows it. Never throws. `nowSeconds` since 1970, for signatures that end. */
export function loadZone(
  path: string,
  origin: Name,
  files: ZoneFiles,
  nowSeconds: number,
): ZoneResult {
  const { records, placeOf, problems, refused } = parseZone(path, origin, files);
  if (refused) return { zone: undefined, problems };
  const checked = checkZone({ origin, records, placeOf, nowSeconds });
  return { zone: checked.zone, problems: [...problems, ...checked.problems] };
}
