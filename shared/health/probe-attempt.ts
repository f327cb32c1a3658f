// One probe: one deadline for all of it, the first verdict counts, and what an error of the system
// says of the target, or of us (docs/health.md, V8).
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Clock } from '../clock.ts';
import type { ProbeResult } from './types.ts';

export type Verdict = Omit<ProbeResult, 'latencyMs'>;
export type Place = { address: string; port: number };
/** When a probe ends whatever happens; aborted, it is not probed. */
export type Deadline = { clock: Clock; timeoutMs: number; signal: AbortSignal };

export const good = (reason: string): Verdict => ({ verdict: 'good', reason });
export const bad = (reason: string): Verdict => ({ verdict: 'bad', reason });
export const notProbed = (reason: string): Verdict => ({ verdict: 'not-probed', reason });

/** A timer that fires so late says that this process stood still, and nothing of the target. */
const STALLED_MS = 250;

/**
 * `begin` starts the probe and returns what gives its sockets back, which is called when there is
 * a verdict. Never rejects.
 */
export function attempt(
  { clock, timeoutMs, signal }: Deadline,
  begin: (settle: (verdict: Verdict) => void) => () => void,
): Promise<ProbeResult> {
  const { promise, resolve } = Promise.withResolvers<ProbeResult>();
  const startMs = clock.monotonicMs();
  const elapsed = () => clock.monotonicMs() - startMs;
  let isOpen = true;
  let release = () => {};
  const settle = (verdict: Verdict): void => {
    if (!isOpen) return;
    isOpen = false;
    cancel();
    signal.removeEventListener('abort', stop);
    release();
    resolve({ ...verdict, latencyMs: elapsed() });
  };
  const stop = () => settle(notProbed('stopped'));
  const cancel = clock.after(timeoutMs, () => {
    const stalled = elapsed() > timeoutMs + STALLED_MS;
    const verdict = stalled ? notProbed('this instance stood still') : bad('timeout');
    // An answer that has come, but was not read yet, counts: timers come before sockets.
    setImmediate(() => settle(verdict));
  });
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    if (isOpen) release = begin(settle);
    if (!isOpen) release(); // the verdict came before there was anything to give back
  } catch (error) {
    settle(notProbed(`cannot be asked: ${codeOf(error)}`));
  }
  return promise;
}

/** What we lack ourselves: no file descriptor, port, memory, family or permission. */
const OURS = new Set([
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
  'ENETDOWN',
  'EACCES',
  'EPERM',
  'EINVAL',
]);

const WORDS: Record<string, string> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'closed by the target',
  EPIPE: 'closed by the target',
  ETIMEDOUT: 'timeout',
};

/** Settles by an error of a socket to that address. */
export function settleBy(
  error: unknown,
  address: string,
  settle: (verdict: Verdict) => void,
): void {
  const code = codeOf(error);
  if (OURS.has(code)) {
    settle(notProbed(code));
    return;
  }
  if (code !== 'ENETUNREACH' && code !== 'EHOSTUNREACH') {
    settle(bad(WORDS[code] ?? code));
    return;
  }
  withRoute(address, (error) => {
    settle(error === undefined ? bad('unreachable') : notProbed(`no route: ${codeOf(error)}`));
  });
}

/** An error's stable code; its name when it has none. */
export function codeOf(error: unknown): string {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : String(name ?? 'failed');
}

/**
 * Whether this host has a route, which tells its own trouble from what a router or the target's
 * link answers: connecting a UDP socket sends nothing.
 */
function withRoute(address: string, tell: (error: unknown) => void): void {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  const end = (error?: unknown) => {
    socket.removeAllListeners().on('error', () => {}); // it is closed, nothing of it counts
    socket.close();
    tell(error);
  };
  socket.once('error', end).once('connect', () => end());
  socket.connect(9, address);
}
