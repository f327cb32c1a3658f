// As whom a target is spoken to: connections of one identity are alike, whichever pool opened them.
import { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import type { PoolProxy } from '../../../shared/site/lb-objects.ts';

export type Identity = {
  readonly key: string;
  readonly isHttp2: boolean;
  readonly tls: TlsIdentity | undefined;
};

export type TlsIdentity = {
  serverName: string | undefined;
  verify: boolean;
  alpn: 'h2' | 'http/1.1';
  /** Undefined: the `ca` is none; connections fail. */
  context: SecureContext | undefined;
};

export function identityKey({ protocol, tls }: PoolProxy): string {
  if (tls === undefined) return protocol;
  return JSON.stringify([protocol, tls.serverName ?? null, tls.verify, tls.ca ?? null]);
}

export function identityOf(proxy: PoolProxy): Identity {
  const { tls, protocol } = proxy;
  const isHttp2 = protocol === 'h2c';
  const key = identityKey(proxy);
  if (tls === undefined) return { key, isHttp2, tls: undefined };
  return {
    key,
    isHttp2,
    tls: {
      serverName: tls.serverName,
      verify: tls.verify,
      alpn: isHttp2 ? 'h2' : 'http/1.1',
      context: contextOf(tls),
    },
  };
}

function contextOf({ verify, ca }: NonNullable<PoolProxy['tls']>): SecureContext | undefined {
  if (!verify) return createSecureContext();
  if (ca !== undefined && !isCertificate(ca)) return undefined;
  return createSecureContext({ ca: ca ?? getCACertificates('system') });
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}
