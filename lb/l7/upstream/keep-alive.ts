// How long a target keeps an idle connection, by what it says in Keep-Alive. Pure.
import type { ResponseHead } from '../http1/types.ts';

const MAX_IDLE_MS = 30_000;
/** So that a request does not meet the target's close on its way. */
const MARGIN_MS = 1000;
const TIMEOUT = /(?:^|[,;\s])timeout\s*=\s*(\d{1,9})/i;

/** `index`: of the Keep-Alive field, -1 without. 0: do not keep it. */
export function keepAliveMs(head: ResponseHead, index: number): number {
  if (index < 0) return MAX_IDLE_MS;
  const { bytes, offsets } = head;
  const value = bytes.toString('latin1', offsets[4 * index + 2], offsets[4 * index + 3]);
  const seconds = TIMEOUT.exec(value)?.[1];
  if (seconds === undefined) return MAX_IDLE_MS;
  return Math.max(0, Math.min(MAX_IDLE_MS, Number(seconds) * 1000 - MARGIN_MS));
}
