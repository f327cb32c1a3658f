// Zones signed by BIND's tools, as an operator signs them before edge-dns serves them.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Without it: NSEC. */
export type SignOptions = { nsec3?: 'whole' | 'opt-out' };

/** Keys and DS of zones; a child that is signed before its parent has its DS in that. */
export class Signer {
  readonly #directory = mkdtempSync(join(tmpdir(), 'edge-sign-'));

  /** The signed zone as a master file, and the DNSKEY to trust. */
  sign(zone: string, text: string, options: SignOptions = {}): { text: string; anchor: string } {
    const file = join(this.#directory, zone);
    writeFileSync(file, `$ORIGIN ${zone}.\n${text}`);
    const make = (...flags: string[]): string =>
      this.#run('dnssec-keygen', '-q', '-a', 'ECDSAP256SHA256', ...flags, zone).trim();
    const key = make('-f', 'KSK');
    make();
    const optOut = options.nsec3 === 'opt-out' ? ['-A'] : [];
    const nsec3 = options.nsec3 === undefined ? [] : ['-3', 'aabb', '-H', '1', ...optOut];
    this.#run('dnssec-signzone', '-q', '-S', '-g', ...nsec3, '-o', zone, file);
    const [anchor = ''] = readFileSync(join(this.#directory, `${key}.key`), 'utf8')
      .split('\n')
      .filter((line) => line.includes(' DNSKEY '));
    const shown = anchor.replace(' IN ', ' ').replace(/(\S{20,}) (\S+)$/, '$1$2');
    return { text: readFileSync(`${file}.signed`, 'utf8'), anchor: shown };
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #run(command: string, ...words: string[]): string {
    const { PATH = '' } = process.env;
    const env = { PATH: `${PATH}:/usr/sbin` };
    return execFileSync(command, words, { cwd: this.#directory, encoding: 'utf8', env });
  }
}
