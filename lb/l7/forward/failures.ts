// What a client is answered when its request cannot be forwarded (docs/balancing.md, H4, H6).
import type { Outcome, PickFailure } from '../../pools/types.ts';
import {
  type ConnectFailure,
  causeOfPick,
  type ForwardFailure,
  type UpstreamError,
} from '../types.ts';

export const FAILED: Outcome = { kind: 'failed' };
export const CANCELLED: Outcome = { kind: 'cancelled' };
export const CONNECT_FAILED: Outcome = { kind: 'connect-failed' };

export const NO_POOL: ForwardFailure = { status: 503, cause: 'no-target', detail: 'no-such-pool' };
export const HEAD_TIMEOUT: ForwardFailure = { status: 504, cause: 'upstream-timeout' };
export const CLIENT_TIMEOUT: ForwardFailure = { status: 408, cause: 'client-timeout' };

export function ofPick(failure: PickFailure): ForwardFailure {
  return { status: 503, cause: causeOfPick(failure) };
}

export function ofConnect({ kind, detail }: ConnectFailure): ForwardFailure {
  if (kind === 'timeout') return { status: 504, cause: 'connect-timeout' };
  return { status: 503, cause: 'connect-failed', detail };
}

export function ofError(error: UpstreamError): ForwardFailure {
  switch (error.kind) {
    case 'reset':
      return { status: 502, cause: 'upstream-reset' };
    case 'timeout':
      return HEAD_TIMEOUT;
    case 'bad':
      return { status: 502, cause: 'bad-response', detail: error.bad.reason };
  }
}

/** RFC 9110, 9.2.2. */
export function isIdempotent(method: string): boolean {
  switch (method) {
    case 'GET':
    case 'HEAD':
    case 'PUT':
    case 'DELETE':
    case 'OPTIONS':
    case 'TRACE':
      return true;
    default:
      return false;
  }
}
