// Files that somebody names by hand, as keys and secrets: what is no file, or no small one, must
// neither hold up the daemon nor fill its memory.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

const EVERYBODY = 0o007;

/** The same for what only its owner and group may read: what others may open is refused. */
export function readPrivateFile(path: string, maxBytes: number): string {
  return readSmallFile(path, maxBytes, (mode) => {
    if ((mode & EVERYBODY) !== 0) throw new Error(`${path} is open to every user: chmod o= it`);
  });
}

/** Latin-1. Throws where it is a FIFO, a device, a directory, or longer than `maxBytes`. */
export function readSmallFile(
  path: string,
  maxBytes: number,
  checkMode: (mode: number) => void = () => {},
): string {
  // Without O_NONBLOCK a FIFO is waited for until somebody writes to it.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new Error(`${path} is no regular file`);
    checkMode(stat.mode);
    // By what is read, not by what the file says: those of /proc say 0.
    const bytes = Buffer.alloc(maxBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length <= maxBytes; length += read) {
      read = readSync(file, bytes, length, bytes.length - length, null);
    }
    if (length > maxBytes) throw new Error(`${path} is longer than ${maxBytes} bytes`);
    return bytes.toString('latin1', 0, length);
  } finally {
    closeSync(file);
  }
}
