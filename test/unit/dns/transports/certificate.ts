// Certificates of tests, made when they are needed.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsFiles } from '../../../../dns/transports/listening.ts';

/** Self-signed, for the name and 127.0.0.1. */
export function certificateFor(name: string): TlsFiles {
  const directory = mkdtempSync(join(tmpdir(), 'edge-certificate-'));
  try {
    const text = [
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2',
      `-keyout key.pem -out cert.pem -subj /CN=${name}`,
      `-addext subjectAltName=DNS:${name},IP:127.0.0.1`,
    ].join(' ');
    execFileSync('openssl', text.split(' '), { cwd: directory, stdio: 'ignore' });
    const file = (of: string) => readFileSync(join(directory, of));
    return { certificate: file('cert.pem'), key: file('key.pem') };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
