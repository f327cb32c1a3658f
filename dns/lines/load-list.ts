// One list file from the disk to its list: read, unpacked if it is gzip, parsed. Callable in a
// thread: plain data in and out.
import { constants } from 'node:buffer';
import { constants as flags, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { ConfigProblem } from '../../shared/errors.ts';
import { parseList } from './formats/parse.ts';
import type { LineFileSettings, Parsed } from './formats/types.ts';

const MAX_FILE_BYTES = 512 * 1024 * 1024;
const MAX_UNPACKED_BYTES = Math.min(1024 * 1024 * 1024, constants.MAX_LENGTH);

const unpack = promisify(gunzip);

/** Never rejects for what is wrong with the file. */
export async function loadList(settings: LineFileSettings): Promise<Parsed> {
  let bytes: Uint8Array;
  try {
    bytes = await readBounded(settings.file);
  } catch (error) {
    return refused(settings.file, `cannot be read: ${reasonOf(error)}`, remedyOf(error));
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return parseList(bytes, settings);
  try {
    bytes = await unpack(bytes, { maxOutputLength: MAX_UNPACKED_BYTES });
  } catch (error) {
    return refused(settings.file, `cannot be unpacked: ${reasonOf(error)}`, 'load the file again');
  }
  return parseList(bytes, settings);
}

async function readBounded(file: string): Promise<Uint8Array> {
  // Not waited for: a FIFO that nobody writes to would hold up all lists.
  await using handle = await open(file, flags.O_RDONLY | flags.O_NONBLOCK);
  const stat = await handle.stat();
  if (!stat.isFile()) throw new Error('it is no regular file');
  if (stat.size > MAX_FILE_BYTES)
    throw new Error(`${stat.size} bytes, more than ${MAX_FILE_BYTES}`);
  return handle.readFile();
}

function refused(file: string, message: string, remedy: string): { problems: ConfigProblem[] } {
  return { problems: [{ file, line: 0, column: 0, message, remedy }] };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function remedyOf(error: unknown): string {
  const { code } = Object(error) as { code?: unknown }; // Node names its errors so
  if (code === 'ENOENT') return 'put the file there, or remove it from `lines`';
  if (code === 'EACCES') return 'let the daemon read it';
  return 'check the file';
}
