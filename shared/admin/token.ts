// The token of the admin pages (RFC 6750): each line of its file is one that is taken, so that a
// new one can be brought in before the old one goes; who asks others gives the first.
import { createHash, timingSafeEqual } from 'node:crypto';
import { ConfigError, describeError } from '../errors.ts';
import { readPrivateFile } from '../small-file.ts';

const MAX_FILE_BYTES = 64 * 1024;
const MIN_TOKEN_LENGTH = 24;
const MAX_TOKEN_LENGTH = 512; // well below what a head may have

/** Which tokens are taken; of them it holds digests only. */
export class TokenGuard {
  readonly #digests: readonly Buffer[];

  constructor(tokens: readonly string[]) {
    this.#digests = tokens.map(digest);
  }

  /** Whether the Authorization header has one of them; takes as long whichever it has. */
  admits(authorization: string | undefined): boolean {
    const token = /^bearer ([^ ]+) *$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return false;
    const given = digest(token);
    return this.#digests.map((known) => timingSafeEqual(known, given)).includes(true);
  }
}

/** None without a file. Throws as readTokens() does. */
export function tokenGuard(file: string | undefined): TokenGuard | undefined {
  return file === undefined ? undefined : new TokenGuard(readTokens(file));
}

/** At least one. Throws a ConfigError that names the file and the line, never what it holds. */
export function readTokens(file: string): string[] {
  const tokens: string[] = [];
  for (const [index, line] of read(file).split('\n').entries()) {
    const token = line.trim();
    if (token === '' || token.startsWith('#')) continue;
    if (!/^[\w.~+/-]+=*$/.test(token) || token.length > MAX_TOKEN_LENGTH) {
      throw problem(file, 'is not a token: letters, digits and -._~+/ only', index + 1);
    }
    if (token.length < MIN_TOKEN_LENGTH) {
      throw problem(file, `is a token of less than ${MIN_TOKEN_LENGTH} characters`, index + 1);
    }
    tokens.push(token);
  }
  if (tokens.length === 0) throw problem(file, 'has no token');
  return tokens;
}

function read(file: string): string {
  try {
    return readPrivateFile(file, MAX_FILE_BYTES);
  } catch (error) {
    throw problem(file, `cannot be used: ${describeError(error)}`);
  }
}

function problem(file: string, message: string, line = 0): ConfigError {
  const remedy = 'openssl rand -hex 32 makes a token';
  return new ConfigError([{ file, line, column: 1, message, ...(line > 0 && { remedy }) }]);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
