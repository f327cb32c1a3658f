// Certificates of tests, made when they are needed, with a CA of their own.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Made = { chain: string; key: string };

const KEYS = {
  ec: '-newkey ec -pkeyopt ec_paramgen_curve:P-256',
  rsa: '-newkey rsa:2048',
  'rsa-512': '-newkey rsa:512',
};

export type MakeOptions = {
  subject?: string;
  /** SAN: DNS names. */
  names?: readonly string[];
  type?: keyof typeof KEYS;
  days?: number;
  /** Signed by it; else by itself. */
  issuer?: Made;
  isCa?: boolean;
};

export function makeCertificate(options: MakeOptions): Made {
  const { subject = 'test', names = [], type = 'ec', days = 2, issuer, isCa = false } = options;
  return inDirectory((directory, run, file) => {
    const san =
      names.length === 0 ? '' : `-addext subjectAltName=${names.map((name) => `DNS:${name}`)}`;
    const ca = `-addext basicConstraints=critical,CA:${isCa ? 'TRUE' : 'FALSE'}`;
    run(
      `req -x509 ${KEYS[type]} -nodes -days ${days} -keyout key.pem -subj /CN=${subject}/O=edge`,
      `-out cert.pem ${san} ${ca} ${issuer === undefined ? '' : signedBy(directory, issuer)}`,
    );
    return { chain: file('cert.pem'), key: file('key.pem') };
  });
}

/** The key behind a passphrase. */
export function encrypted(key: string): string {
  return inDirectory((directory, run, file) => {
    writeAll(directory, { 'in.pem': key });
    run('pkcs8 -topk8 -in in.pem -out out.pem -passout pass:secret');
    return file('out.pem');
  });
}

function signedBy(directory: string, issuer: Made): string {
  writeAll(directory, { 'ca.pem': issuer.chain, 'ca.key': issuer.key });
  return '-CA ca.pem -CAkey ca.key';
}

function inDirectory<T>(
  work: (directory: string, run: (...text: string[]) => void, file: (of: string) => string) => T,
): T {
  const directory = mkdtempSync(join(tmpdir(), 'edge-certificate-'));
  const run = (...text: string[]) => {
    const args = text
      .join(' ')
      .split(' ')
      .filter((each) => each !== '');
    execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  };
  try {
    return work(directory, run, (of) => readFileSync(join(directory, of), 'utf8'));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function writeAll(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
}
