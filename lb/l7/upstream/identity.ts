// As whom a target is spoken to: connections of one identity are alike, whichever pool opened them.
import {
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type SecureContextOptions,
} from 'node:tls';
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
  context: SecureContext;
};

export function identityKey({ protocol, tls }: PoolProxy): string {
  if (tls === undefined) return protocol;
  return JSON.stringify([protocol, tls.serverName ?? null, tls.verify, tls.ca ?? null]);
}

/** Throws what OpenSSL says of a `ca` that is none. */
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
      context: createSecureContext(authorities(tls)),
    },
  };
}

function authorities(tls: NonNullable<PoolProxy['tls']>): SecureContextOptions {
  if (!tls.verify) return {};
  return { ca: tls.ca ?? getCACertificates('system') };
}
