// How a client's bytes are read: all plain connections of a thread read into one buffer, and what
// came is copied, which is small. Node makes a buffer of 64 KiB for each read of an accepted socket
// otherwise, at about an eighth of the cost of a small request.
import { Socket, type SocketConstructorOpts } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ClientSocket } from '../wiring.ts';

const READ_BYTES = 65_536;

const shared = Buffer.allocUnsafeSlow(READ_BYTES);

/** What net.Server itself makes its sockets of; `onread` alone is documented. */
type Handle = { reading: boolean; readStop(): number };
type WithHandle = { _handle?: Handle | null };

/**
 * Tells `take` what comes, each piece to keep. The result is the socket to go on with: the one that
 * was accepted is only closed with it.
 */
export function startReading(accepted: ClientSocket, take: (piece: Buffer) => void): ClientSocket {
  const handle = handleOf(accepted);
  if (handle === undefined) {
    // Who read its beginning has paused it.
    return accepted.on('data', take).resume();
  }
  handle.readStop();
  handle.reading = false;
  (accepted as WithHandle)._handle = null;
  const callback = (count: number): boolean => {
    const piece = Buffer.allocUnsafe(count);
    shared.copy(piece, 0, 0, count);
    take(piece);
    return true;
  };
  const options = { handle, allowHalfOpen: true, onread: { buffer: shared, callback } };
  const socket = new Socket(options as unknown as SocketConstructorOpts);
  socket.once('close', () => accepted.destroy());
  accepted.once('close', () => socket.destroy());
  return socket.resume();
}

/** Of a plain socket from which nothing was read yet. */
function handleOf(socket: ClientSocket): Handle | undefined {
  if (!(socket instanceof Socket) || socket instanceof TLSSocket) return undefined;
  if (socket.bytesRead > 0 || socket.destroyed || socket.readableEnded) return undefined;
  const handle = (socket as WithHandle)._handle;
  return typeof handle?.readStop === 'function' ? handle : undefined;
}
