// What doctor asks of the host; injected, so that every finding can be tested anywhere.

import { execFile } from 'node:child_process';
import { readdir, readFile, stat, statfs } from 'node:fs/promises';
import { release } from 'node:os';

const COMMAND_TIMEOUT_MS = 3000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** `mode`: the permission bits alone. */
export type FileFacts = {
  mode: number;
  uid: number;
  gid: number;
  bytes: number;
  changedMs: number;
};

export interface Host {
  /** The file's text; undefined when it is not there or may not be read. */
  read(path: string): Promise<string | undefined>;
  /** Names in a directory; empty when it is not there. */
  list(path: string): Promise<string[]>;
  /** Undefined when it is not there or may not be seen. */
  stat(path: string): Promise<FileFacts | undefined>;
  /** The type number of the file system at a path (statfs). */
  fileSystemType(path: string): Promise<number | undefined>;
  /** stdout of a command; undefined when it is not installed or fails. */
  run(command: string, args: readonly string[]): Promise<string | undefined>;
  kernelRelease(): string;
}

async function orUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined; // errno: the answer is "no"
    throw error;
  }
}

export const systemHost: Host = {
  read: (path) => orUndefined(readFile(path, 'utf8')),
  list: async (path) => (await orUndefined(readdir(path))) ?? [],
  async stat(path) {
    const found = await orUndefined(stat(path));
    if (found === undefined) return undefined;
    const { mode, uid, gid, size: bytes, mtimeMs: changedMs } = found;
    return { mode: mode & 0o777, uid, gid, bytes, changedMs };
  },
  fileSystemType: async (path) => (await orUndefined(statfs(path)))?.type,
  run(command, args) {
    const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };
    const options = { timeout: COMMAND_TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES, env };
    return new Promise((resolve) => {
      execFile(command, args, options, (error, stdout) => resolve(error ? undefined : stdout));
    });
  },
  kernelRelease: release,
};
