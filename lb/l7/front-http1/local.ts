// Requests that a proxy answers by itself, or refuses, before anybody routes them. Pure.
import { FIELD, type RequestHead } from '../http1/types.ts';
import type { RequestView, TerminationCause } from '../types.ts';

export type LocalAnswer = { status: number; cause: TerminationCause; detail: string };

const TRACE: LocalAnswer = { status: 405, cause: 'answered', detail: 'trace' };
const OPTIONS: LocalAnswer = { status: 200, cause: 'answered', detail: 'options' };
const NO_KEY: LocalAnswer = {
  status: 400,
  cause: 'bad-request',
  detail: 'sec-websocket-key-missing',
};

/** RFC 9110, 7.6.2, 9.3.7 and 9.3.8; RFC 6455, 4.2.1. */
export function localAnswerOf(head: RequestHead, view: RequestView): LocalAnswer | undefined {
  const { method } = head;
  if (method === 'OPTIONS' && head.maxForwards === 0) return OPTIONS;
  if (method === 'TRACE') return TRACE;
  if (!head.upgrade) return undefined;
  const isKeyed = (head.present & (1 << FIELD.SEC_WEBSOCKET_KEY)) !== 0;
  return isWebSocket(view) && !isKeyed ? NO_KEY : undefined;
}

export function isWebSocket(view: RequestView): boolean {
  return protocolsOf(view).includes('websocket');
}

/**
 * May the connection become a tunnel, should the target say 101? Not with a body, which would have
 * to be over first, and not for h2c, which is no protocol that anybody upgrades to through a proxy
 * (RFC 9113, 3.1).
 */
export function mayUpgrade(head: RequestHead, view: RequestView): boolean {
  if (!head.upgrade || head.framing !== 'none') return false;
  return !protocolsOf(view).includes('h2c');
}

function protocolsOf(view: RequestView): string[] {
  return (view.header('upgrade') ?? '').toLowerCase().split(/[ \t]*,[ \t]*/);
}
