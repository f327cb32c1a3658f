// From what the client library throws to OperationalErrors with stable codes.
import { OperationalError } from '../errors.ts';

type Known = { pattern: RegExp; code: `EDGE_STORE_${string}`; message: string; remedy?: string };

const known: readonly Known[] = [
  {
    pattern: /timed out/i,
    code: 'EDGE_STORE_TIMEOUT',
    message: 'the store did not answer in time',
  },
  {
    pattern: /^(NOAUTH|WRONGPASS|ERR invalid password|ERR AUTH)/,
    code: 'EDGE_STORE_DENIED',
    message: 'the store refuses this client',
    remedy: 'check username and passwordFile',
  },
  {
    pattern: /^NOPERM/,
    code: 'EDGE_STORE_DENIED',
    message: 'this user of the store may not do that',
    remedy: 'compare its rights (ACL LOG, ACL GETUSER) with deploy/redis/users.acl',
  },
  {
    pattern: /certificate|altname|\bSSL|\bTLS\b|EPROTO|ERR_SSL|ERR_TLS/i,
    code: 'EDGE_STORE_TLS',
    message: 'there is no trusted TLS connection to the store',
    remedy: 'check tls.caFile, certFile, keyFile and serverName; redis:// is without TLS',
  },
  {
    pattern: /^OOM/,
    code: 'EDGE_STORE_FULL',
    message: 'the store is out of memory and takes no writes',
    remedy: 'raise maxmemory of Redis',
  },
  {
    pattern: /^WRONGTYPE/,
    code: 'EDGE_STORE_DAMAGED',
    message: 'a key of the store is not what it should be',
    remedy: 'find out who writes there; delete that key and apply the site file',
  },
  {
    pattern: /^(READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|UNBLOCKED|TRYAGAIN)/,
    code: 'EDGE_STORE_UNREACHABLE',
    message: 'the store cannot serve now',
  },
  {
    pattern:
      /Stream isn't writeable|Connection is closed|ECONN|ENOENT|EPIPE|ENOTFOUND|EAI_|sentinel/i,
    code: 'EDGE_STORE_UNREACHABLE',
    message: 'the store cannot be reached',
    remedy: 'is it up, its address right, and rediss:// where it wants TLS?',
  },
];

/** `hint` is the last trouble of the connection, which says more than "connection is closed". */
export function storeError(error: unknown, hint?: Error): OperationalError {
  if (error instanceof OperationalError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const denied =
    hint === undefined ? undefined : known.find((each) => each.pattern.test(hint.message));
  const match = known.find((each) => each.pattern.test(text));
  const chosen = match?.code === 'EDGE_STORE_UNREACHABLE' && denied ? denied : match;
  if (chosen === undefined) {
    return new OperationalError('EDGE_STORE_FAILED', 'the store failed', { cause: error });
  }
  const options = chosen.remedy === undefined ? {} : { remedy: chosen.remedy };
  return new OperationalError(chosen.code, chosen.message, { cause: hint ?? error, ...options });
}
