// /etc/edge/edgectl.yaml: where the store is, and the credentials for it and for admin pages.

import { z } from 'zod';
import { loadConfig } from '../config/load.ts';
import { absolutePath } from '../config/types.ts';
import {
  credentialsOf,
  type StoreCredentials,
  storeCredentials,
  storeUrl,
} from '../store/settings.ts';

const schema = z.strictObject({
  store: storeUrl.optional(),
  ...storeCredentials,
  adminTokenFile: absolutePath.optional(),
});

export type Settings = StoreCredentials & { store?: string; adminTokenFile?: string };

/** Throws ConfigError. */
export function readSettings(file: string): Settings {
  const { store, adminTokenFile, ...given } = loadConfig({ file, schema });
  return {
    ...credentialsOf(given),
    ...(store === undefined ? {} : { store }),
    ...(adminTokenFile === undefined ? {} : { adminTokenFile }),
  };
}
