// The secret that instances share: from it come the keys of sticky cookies and of TLS tickets, so
// that any instance, and any worker, takes what another one gave.
import { hkdfSync } from 'node:crypto';
import { ConfigError, describeError } from '../shared/errors.ts';
import type { Random } from '../shared/random.ts';
import { readSmallFile } from '../shared/small-file.ts';

const SECRET_BYTES = 32;
const MAX_FILE_BYTES = 64 * 1024;

/** Where no file has one: of this instance only, until it is started again. */
export function drawSecret(random: Random): Buffer {
  return Buffer.from(Array.from({ length: SECRET_BYTES }, () => random.integer(256)));
}

/** Throws a ConfigError that names the file, never what it holds. */
export function readSecret(file: string): Buffer {
  const problem = (message: string) =>
    new ConfigError([{ file, line: 1, column: 1, message: `${file} ${message}` }]);
  let text: string;
  try {
    text = readSmallFile(file, MAX_FILE_BYTES).trim();
  } catch (error) {
    throw problem(`cannot be read: ${describeError(error)}`);
  }
  if (!/^([0-9a-f]{2}){32,}$/i.test(text)) {
    throw problem('is not a secret of 64 hex digits or more: openssl rand -hex 32');
  }
  return Buffer.from(text, 'hex');
}

/** Another one for each purpose (RFC 5869). */
export function keyFor(secret: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `edge-lb ${purpose}`, SECRET_BYTES));
}
