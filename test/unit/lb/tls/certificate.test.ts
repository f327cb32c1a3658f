// Certificates as they are given: what they are for, and what is wrong with them in words.
import { describe, expect, test } from 'vitest';
import { loadCertificate, secondsLeft } from '../../../../lb/l7/tls/certificate.ts';
import { ServerNames } from '../../../../lb/l7/tls/server-names.ts';
import { encrypted, makeCertificate } from './certificates.ts';

const ca = makeCertificate({ subject: 'ca', isCa: true });
const names = ['www.Example.com', '*.example.com', 'foo*.example.com'];
const good = makeCertificate({ names, issuer: ca });
const other = makeCertificate({ names: ['other.example'] });
const rsa = makeCertificate({ names: ['www.example.com'], type: 'rsa' });

function load(chain: string, key: string) {
  const loaded = loadCertificate({ name: 'c', chain, key });
  return loaded;
}

describe('a certificate', () => {
  test('is known by its names, its type and its end', () => {
    const loaded = load(good.chain + ca.chain, good.key);
    expect(loaded).toMatchObject({
      name: 'c',
      keyType: 'ec',
      names: ['www.example.com', '*.example.com'],
      warnings: [],
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    if (!('names' in loaded)) throw new Error(loaded.message);
    expect(secondsLeft(loaded, loaded.validUntilMs - 1500)).toBe(1);
    expect(secondsLeft(loaded, loaded.validUntilMs + 1000)).toBe(-1);
  });

  test('of RSA is known as such', () => {
    expect(load(rsa.chain, rsa.key)).toMatchObject({ keyType: 'rsa' });
  });

  test.each([
    ['no PEM', 'hello', good.key, 'there is no certificate in it'],
    [
      'PEM of nothing',
      `${good.chain}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
      good.key,
      'certificate 2 of the chain cannot be read',
    ],
    ['no key', good.chain, 'hello', 'the key cannot be read'],
    ['an encrypted key', good.chain, encrypted(good.key), 'the key is encrypted'],
    ['the key of another', good.chain, other.key, 'the key is not that of the certificate'],
    ['a key of another type', good.chain, rsa.key, 'the key is not that of the certificate'],
    [
      'a chain upside down',
      ca.chain + good.chain,
      good.key,
      'the key is that of certificate 2 of the chain',
    ],
    ['a CA', ca.chain, ca.key, 'it is a CA, not a server'],
  ])('is refused: %s', (_, chain, key, message) => {
    expect(load(chain, key)).toEqual({ certificate: 'c', message, remedy: expect.any(String) });
  });

  test('is refused when OpenSSL would not use it', () => {
    const weak = makeCertificate({ names: ['a.example'], type: 'rsa-512' });
    const message = expect.stringMatching(/^it cannot be used: .*key too small/);
    expect(load(weak.chain, weak.key)).toMatchObject({ message });
  });

  test('serves, with a warning, though its chain is wrong or no name is in it', () => {
    const nameless = makeCertificate({});
    expect(load(nameless.chain, nameless.key)).toMatchObject({
      warnings: ['it has no DNS name: only clients without SNI get it'],
    });
    expect(load(good.chain + other.chain, good.key)).toMatchObject({
      warnings: ['certificate 2 of the chain did not issue the one before'],
    });
  });
});

describe('a server name', () => {
  const index = new ServerNames<string>();
  for (const name of ['a.example', '*.example', '*.b.example', 'x.b.example'])
    index.set(name, name);

  test.each([
    ['a.example', 'a.example'],
    ['A.Example.', 'a.example'],
    ['c.example', '*.example'],
    ['x.b.example', 'x.b.example'],
    ['y.b.example', '*.b.example'],
    ['y.z.b.example', undefined],
    ['example', undefined],
    ['.example', undefined],
    ['', undefined],
  ])('%s is served by %s', (asked, found) => expect(index.find(asked)).toBe(found));
});
