// Reads the site files of -f; `-` is stdin.

import { createReadStream, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { ConfigError, OperationalError } from '../errors.ts';
import { type ReadText, readSite, type SiteFile, type SiteSource } from '../site/file.ts';
import { type Arguments, UsageError } from './command.ts';
import type { Context } from './context.ts';
import { EXIT } from './exit.ts';

const REASONS: Record<string, string> = {
  ENOENT: 'does not exist',
  EISDIR: 'is a directory',
  EFBIG: 'is larger than 256 MiB',
};

/** Far above a million objects; what never ends, as a device, is not read without end. */
const MAX_FILE_BYTES = 2 ** 28;
/** Of certificates, far more than any chain. */
const MAX_NAMED_BYTES = 2 ** 20;

export async function readText(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    const buffer = chunk as Buffer; // without an encoding there is nothing else
    bytes += buffer.length;
    if (bytes > MAX_FILE_BYTES) throw Object.assign(new Error('too large'), { code: 'EFBIG' });
    chunks.push(buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function readSource(context: Context, path: string): Promise<SiteSource> {
  const file = path === '-' ? 'stdin' : path;
  try {
    if (path === '-') return { file, text: await context.input.readAll(), read: readNamed('.') };
    const text = await readText(createReadStream(path, { highWaterMark: 2 ** 20 }));
    return { file, text, read: readNamed(dirname(path)) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    if (code === undefined) throw error;
    if (code === 'EACCES' || code === 'EPERM') {
      throw new OperationalError('EDGE_CTL_UNREADABLE', `${path} may not be read`, {
        cause: error,
        exitCode: EXIT.permission,
      });
    }
    const message = REASONS[code] ?? `cannot be read: ${code}`;
    throw new ConfigError([{ file, line: 0, column: 0, message }]);
  }
}

/** Files that a site file names are where it is. */
function readNamed(directory: string): ReadText {
  return (path) => {
    try {
      const file = resolve(directory, path);
      if (statSync(file).size > MAX_NAMED_BYTES) return { problem: 'is larger than 1 MiB' };
      return { text: readFileSync(file, 'utf8') };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
      if (code === undefined) throw error;
      if (code === 'EACCES' || code === 'EPERM') return { problem: 'may not be read' };
      return { problem: REASONS[code] ?? `cannot be read: ${code}` };
    }
  };
}

/** Throws ConfigError with every error of all files. */
export async function readFiles(context: Context, args: Arguments): Promise<SiteFile> {
  const paths = args.lists.get('file') ?? [];
  if (paths.filter((path) => path === '-').length > 1) {
    throw new UsageError('-f - can be given once: stdin is read to its end');
  }
  const sources: SiteSource[] = [];
  for (const path of paths) sources.push(await readSource(context, path));
  return readSite(sources);
}
