// /etc/edge/edgectl.yaml: where the store is, and the credentials for it.

import { z } from 'zod';
import { loadConfig } from '../config/load.ts';
import {
  credentialsOf,
  type StoreCredentials,
  storeCredentials,
  storeUrl,
} from '../store/settings.ts';

const schema = z.strictObject({ store: storeUrl.optional(), ...storeCredentials });

export type Settings = StoreCredentials & { store?: string };

/** Throws ConfigError. */
export function readSettings(file: string): Settings {
  const { store, ...given } = loadConfig({ file, schema });
  return { ...credentialsOf(given), ...(store === undefined ? {} : { store }) };
}
