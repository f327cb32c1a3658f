// What certificates of the site say of themselves: names and times, for tables and for checks.
// The site itself knows only the shape of their text (shared/site/pem.ts).
import { X509Certificate } from 'node:crypto';

export type CertificateFacts = {
  /** Of the first one: DNS names and addresses that it is for; its subject where it has none. */
  names: readonly string[];
  /** ms since the epoch. */
  fromMs: number;
  untilMs: number;
  /** First 16 hex digits of the SHA-256 of the first one. */
  fingerprint: string;
  /** Certificates in the text. */
  count: number;
};

const BEGIN = '-----BEGIN CERTIFICATE-----';

export function isPem(text: string): boolean {
  return text.startsWith(BEGIN);
}

/** Each certificate of a text; undefined: it cannot be read. */
export function certificatesOf(pem: string): (X509Certificate | undefined)[] {
  const blocks = pem.split(BEGIN).slice(1);
  return blocks.map((block) => {
    try {
      return new X509Certificate(`${BEGIN}${block}`);
    } catch {
      return undefined; // every caller says so in its own words
    }
  });
}

/** Undefined: the first one cannot be read. */
export function factsOf(pem: string): CertificateFacts | undefined {
  const all = certificatesOf(pem);
  const [first] = all;
  if (first === undefined) return undefined;
  return {
    names: namesOf(first),
    fromMs: Date.parse(first.validFrom),
    untilMs: Date.parse(first.validTo),
    fingerprint: first.fingerprint256.replaceAll(':', '').slice(0, 16).toLowerCase(),
    count: all.length,
  };
}

function namesOf({ subjectAltName = '', subject }: X509Certificate): string[] {
  const found = [...subjectAltName.matchAll(/(?:^|, )(?:DNS|IP Address):([^,"]+)/g)];
  const names = found.map(([, name = '']) => name);
  return names.length > 0 ? names : [subject.replaceAll('\n', ', ')];
}

/** `www.example.com until 2027-03-01 (SHA-256 0123456789abcdef)`, in one line. */
export function pemText(pem: string): string {
  const facts = factsOf(pem);
  if (facts === undefined) return 'unreadable';
  const { names, untilMs, fingerprint } = facts;
  const until = new Date(untilMs).toISOString().slice(0, 10);
  const more = names.length > 1 ? ` and ${names.length - 1} more` : '';
  return `${names[0]}${more} until ${until} (SHA-256 ${fingerprint})`;
}
