// A certificate object with its key: read, checked against each other, and what is wrong in words
// (RFC 5280; names by RFC 6125).
import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { canonicalName, isServerName } from './server-names.ts';

/** PEM: the certificate, then its chain; the key, not encrypted. */
export type CertificateSource = { name: string; chain: string; key: string };

export type LoadedCertificate = {
  name: string;
  chain: string;
  key: string;
  /** `rsa`, `ec`, `ed25519` …: of one name there is one certificate of each type. */
  keyType: string;
  /** DNS names of the SAN, in lower case: exact, or with a star as the first label. */
  names: readonly string[];
  validFromMs: number;
  validUntilMs: number;
  /** SHA-256, 64 hex digits. */
  fingerprint: string;
  /** Of all of chain and key: whether it is the same. */
  digest: string;
  /** It serves, but some clients will not have it: in words. */
  warnings: readonly string[];
};

export type CertificateProblem = { certificate: string; message: string; remedy: string };

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

export function loadCertificate(source: CertificateSource): LoadedCertificate | CertificateProblem {
  const { name } = source;
  const refuse = (message: string, remedy: string) => ({ certificate: name, message, remedy });
  const chain = readChain(source.chain);
  if (typeof chain === 'string') return refuse(chain, 'give PEM: the certificate, then its chain');
  const key = readKey(source.key);
  if (typeof key === 'string') return refuse(key, 'give the private key as PEM, not encrypted');
  const [leaf, ...issuers] = chain as [X509Certificate, ...X509Certificate[]];
  if (!leaf.checkPrivateKey(key)) {
    const at = issuers.findIndex((each) => each.checkPrivateKey(key));
    if (at < 0)
      return refuse('the key is not that of the certificate', 'give the key that it was made for');
    const message = `the key is that of certificate ${at + 2} of the chain`;
    return refuse(message, 'put the certificate of the key first');
  }
  if (leaf.ca && issuers.length === 0 && leaf.subjectAltName === undefined) {
    return refuse('it is a CA, not a server', 'give the certificate of the server');
  }
  const unusable = usable(source);
  if (unusable !== undefined) return refuse(unusable, 'make a certificate with a stronger key');
  return {
    ...source,
    keyType: key.asymmetricKeyType ?? 'unknown',
    names: namesOf(leaf),
    validFromMs: Date.parse(leaf.validFrom),
    validUntilMs: Date.parse(leaf.validTo),
    fingerprint: createHash('sha256').update(leaf.raw).digest('hex'),
    digest: createHash('sha256').update(`${source.chain}\0${source.key}`).digest('hex'),
    warnings: warningsOf(leaf, issuers),
  };
}

/** Negative: it has ended. */
export function secondsLeft(certificate: LoadedCertificate, nowMs: number): number {
  return Math.floor((certificate.validUntilMs - nowMs) / 1000);
}

function readChain(pem: string): X509Certificate[] | string {
  const blocks = pem.match(PEM);
  if (blocks === null) return 'there is no certificate in it';
  const chain: X509Certificate[] = [];
  for (const block of blocks) {
    try {
      chain.push(new X509Certificate(block));
    } catch {
      return `certificate ${chain.length + 1} of the chain cannot be read`;
    }
  }
  return chain;
}

function readKey(pem: string): KeyObject | string {
  if (/^-----BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m.test(pem)) return 'the key is encrypted';
  try {
    return createPrivateKey(pem);
  } catch {
    return 'the key cannot be read';
  }
}

/** What OpenSSL would not take in a handshake: keys that are too short, digests that are broken. */
function usable({ chain, key }: CertificateSource): string | undefined {
  try {
    createSecureContext({ cert: chain, key });
    return undefined;
  } catch (error) {
    const { reason, message } = error as Error & { reason?: string };
    return `it cannot be used: ${reason ?? message}`;
  }
}

function namesOf(leaf: X509Certificate): string[] {
  const entries = leaf.subjectAltName?.split(', ') ?? [];
  const names = entries
    .filter((entry) => entry.startsWith('DNS:'))
    .map((entry) => canonicalName(entry.slice(4)));
  return [...new Set(names.filter(isServerName))];
}

function warningsOf(leaf: X509Certificate, issuers: readonly X509Certificate[]): string[] {
  const warnings: string[] = [];
  if (namesOf(leaf).length === 0)
    warnings.push('it has no DNS name: only clients without SNI get it');
  const all = [leaf, ...issuers];
  const loose = issuers.findIndex((issuer, at) => all[at]?.checkIssued(issuer) === false);
  if (loose >= 0)
    warnings.push(`certificate ${loose + 2} of the chain did not issue the one before`);
  return warnings;
}
