// How the answer to a message begins. Pure.
import { RCODES } from '../../shared/dns/constants.ts';
import type { Query, Result } from './query-types.ts';

/** What a result is before anything is known: of no zone, like all of the root (R1). */
export function begin(result: Result, query: Query, from: number): void {
  clearResult(result, from);
  result.likeAt = query.nameLength - 1;
}

/** No answer yet, and no name either that others might be like. `end`: of what is written. */
export function clearResult(result: Result, end: number): void {
  result.rcode = RCODES.NOERROR;
  result.isAuthoritative = false;
  result.answers = 0;
  result.authorities = 0;
  result.additionals = 0;
  result.end = end;
  result.isTruncated = false;
  result.scope = 0;
  result.line = -1;
  result.zone = -1;
  result.likeAt = 0;
}

/** In place of a query before the first one. */
export const noQuery: Query = {
  bytes: new Uint8Array(0),
  nameLength: 0,
  lower: new Uint8Array(1),
  type: 0,
  isAnyClass: false,
  dnssecOk: false,
  hasEcs: false,
  lineAddress: new Uint8Array(4),
  lineBits: 0,
  nowSeconds: 0,
};
