// Private keys of certificates: a file each in keyDirectory, never in the store, never in a log.
import { join } from 'node:path';
import { describeError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import type { Certificate } from '../shared/site/lb-objects.ts';
import { readSmallFile } from '../shared/small-file.ts';
import type { LbEvent } from './events.ts';
import { loadCertificate } from './l7/tls/certificate.ts';

const MAX_KEY_BYTES = 64 * 1024;

export class KeyFiles {
  readonly #log: Log<LbEvent>;
  #directory: string;
  #problems = new Map<string, string>();
  /** Another one whenever keys are to be read again. */
  generation = 0;

  constructor(directory: string, log: Log<LbEvent>) {
    this.#directory = directory;
    this.#log = log;
  }

  /** Certificates that cannot be served, in words. */
  get problems(): string[] {
    return [...this.#problems.values()];
  }

  reload(directory: string): void {
    this.#directory = directory;
    this.generation++;
  }

  /** Those that have a key that fits. */
  withKeys(certificates: readonly Certificate[]): (Certificate & { key: string })[] {
    const before = this.#problems;
    this.#problems = new Map();
    return certificates.flatMap((certificate) => {
      const { name } = certificate;
      const key = this.#read(name);
      const problem = 'error' in key ? key.error : problemOf({ ...certificate, key: key.text });
      if (problem === undefined && 'text' in key) return [{ ...certificate, key: key.text }];
      const text = `certificate ${name}: ${problem}`;
      this.#problems.set(name, text);
      if (before.get(name) !== text) this.#log.error('certificate-unusable', text, { name });
      return [];
    });
  }

  #read(name: string): { text: string } | { error: string } {
    const file = join(this.#directory, `${name}.key`);
    try {
      return { text: readSmallFile(file, MAX_KEY_BYTES) };
    } catch (error) {
      return { error: `its key cannot be read: ${describeError(error)}` };
    }
  }
}

function problemOf(source: Certificate & { key: string }): string | undefined {
  const loaded = loadCertificate(source);
  return 'message' in loaded ? loaded.message : undefined;
}
