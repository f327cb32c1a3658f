// TCP: a connection that stands is good. Nothing is sent; it ends with FIN, so that no server logs
// a reset.
import { connect, type Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import { attempt, type Deadline, good, type Place, settleBy } from './probe-attempt.ts';
import type { ProbeResult } from './types.ts';

/** So long a server may take to close its half. */
const LINGER_MS = 1000;

export function probeTcp({ address, port }: Place, deadline: Deadline): Promise<ProbeResult> {
  return attempt(deadline, (settle) => {
    const socket = connect({ host: address, port, noDelay: true });
    socket.on('error', (error) => settleBy(error, address, settle));
    socket.once('connect', () => settle(good('connected')));
    return () => endGently(deadline.clock, socket);
  });
}

/** What comes is read and dropped: to close with unread bytes would be a reset. */
function endGently(clock: Clock, socket: Socket): void {
  if (socket.destroyed || socket.connecting) {
    socket.destroy();
    return;
  }
  socket.unref();
  socket.resume();
  socket.end();
  const cancel = clock.after(LINGER_MS, () => socket.destroy());
  socket.once('close', cancel);
}
