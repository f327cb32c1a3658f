// Opens the store that a configuration names.
import { OperationalError } from '../errors.ts';
import type { StoreConfig } from './connection.ts';
import { RedisStore } from './redis.ts';
import type { Store } from './types.ts';
import { parseStoreUrl } from './url.ts';

export type { StoreConfig };

/**
 * Throws EDGE_STORE_URL for a URL that is none, EDGE_STORE_SECRET for a password or certificate
 * file that cannot be read. A store that is down is no error here: its calls will fail.
 */
export function openStore(config: StoreConfig): Store {
  const address = parseStoreUrl(config.url);
  if ('reasons' in address)
    throw new OperationalError('EDGE_STORE_URL', address.reasons.join('; '));
  if (address.kind === 'embedded') {
    throw new OperationalError('EDGE_STORE_URL', 'an embedded store has to be started first', {
      remedy: 'use the URL that startEmbedded() returns: unix:<state directory>/redis.sock',
    });
  }
  return new RedisStore(address, config);
}
