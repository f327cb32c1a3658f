// A server on a unix socket: for its owner and group, in place of one that a dead daemon left.
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { type ErrorCode, isDenied, OperationalError } from '../errors.ts';

/** How its errors name it: `setting` is the one that holds the path. */
export type SocketNames = { what: string; setting: string; code: ErrorCode };

const MAX_PATH_BYTES = 107; // sun_path, without its NUL
const SOCKET_MODE = 0o660;

/** Throws EDGE_ALREADY_RUNNING when somebody answers there, and `code` when it cannot be made. */
export async function listenOnSocket(
  server: Server,
  path: string,
  names: SocketNames,
): Promise<void> {
  await prepareSocketPath(path, names);
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error) => reject(socketError(path, names, error));
    server.once('error', fail);
    server.listen(path, () => {
      server.off('error', fail);
      resolve();
    });
  });
  chmodSync(path, SOCKET_MODE);
}

/** Removes a socket that nobody answers on; anything else at the path is not ours to remove. */
async function prepareSocketPath(path: string, names: SocketNames): Promise<void> {
  const { setting, code } = names;
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    const remedy = `use at most ${MAX_PATH_BYTES} bytes for ${setting}`;
    throw new OperationalError(code, `${path} is too long for a unix socket`, { remedy });
  }
  try {
    mkdirSync(dirname(path), { recursive: true });
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return;
    if (!found.isSocket()) throw new Error('something that is no socket is there');
    if (await answers(path)) {
      throw new OperationalError('EDGE_ALREADY_RUNNING', `another daemon answers on ${path}`, {
        remedy: `stop it, or give this one another ${setting}`,
      });
    }
    rmSync(path, { force: true });
  } catch (error) {
    throw error instanceof OperationalError ? error : socketError(path, names, error);
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
      else reject(error);
    });
  });
}

function socketError(path: string, names: SocketNames, cause: unknown): OperationalError {
  return new OperationalError(names.code, `cannot make the ${names.what} ${path}`, {
    cause,
    remedy: `look at the directory, or choose another ${names.setting}`,
    exitCode: isDenied(cause) ? 77 : 1,
  });
}
