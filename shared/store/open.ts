// Opens the store that a configuration names.
import type { StoreConfig } from './connection.ts';
import { RedisStore } from './redis.ts';
import type { Store } from './types.ts';
import { reachableAddress } from './url.ts';

export type { StoreConfig };

/**
 * Throws EDGE_STORE_URL for a URL that is none, EDGE_STORE_SECRET for a password or certificate
 * file that cannot be read. A store that is down is no error here: its calls will fail.
 */
export function openStore(config: StoreConfig): Store {
  return new RedisStore(reachableAddress(config.url), config);
}
