// Opens the store that a command works on: --store, EDGE_STORE, edgectl.yaml, else a local one.

import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { OperationalError } from '../errors.ts';
import type { StoreConfig } from '../store/open.ts';
import type { Store } from '../store/types.ts';
import type { Arguments } from './command.ts';
import type { Context } from './context.ts';
import { EXIT } from './exit.ts';
import type { Settings } from './settings.ts';

/**
 * How to reach the store; credentials come from edgectl.yaml, wherever the URL comes from.
 * Throws OperationalError when no store is known.
 */
export async function findStore(context: Context, args: Arguments): Promise<StoreConfig> {
  const { store: configured, adminTokenFile: _, ...credentials } = await settings(context, args);
  const given = args.values.get('store') ?? (context.env.EDGE_STORE || undefined) ?? configured;
  if (given !== undefined) return { ...credentials, url: given };
  const local = await localStores(context.paths.state);
  if (local.length === 1 && local[0] !== undefined) return { url: `unix:${local[0]}` };
  const why = local.length > 1 ? `several local stores: ${local.join(', ')}` : 'no store is known';
  throw new OperationalError('EDGE_CTL_NO_STORE', why, {
    remedy:
      'give --store URL, set EDGE_STORE, or write "store: URL" in /etc/edge/edgectl.yaml; ' +
      'an embedded store is there while its daemon runs',
    exitCode: local.length > 1 ? EXIT.failure : EXIT.notRunning,
  });
}

/** What is shown to admin pages: from EDGE_ADMIN_TOKEN_FILE, else edgectl.yaml's adminTokenFile. */
export async function adminToken(context: Context, args: Arguments): Promise<string | undefined> {
  const given = context.env.EDGE_ADMIN_TOKEN_FILE || undefined;
  const file = given ?? (await settings(context, args)).adminTokenFile;
  if (file === undefined) return undefined;
  const { readTokens } = await import('../admin/token.ts');
  return readTokens(file)[0];
}

async function settings(context: Context, args: Arguments): Promise<Settings> {
  const flag = args.values.get('config');
  const path = flag ?? context.paths.config;
  if (flag === undefined && !(await exists(path))) return {};
  const { readSettings } = await import('./settings.ts');
  return readSettings(path);
}

/** Sockets of embedded stores: one directory a service under the state directory. */
async function localStores(stateDirectory: string): Promise<string[]> {
  const services = await readdir(stateDirectory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const sockets = services.sort().map((service) => join(stateDirectory, service, 'redis.sock'));
  const found = await Promise.all(sockets.map(exists));
  return sockets.filter((_, at) => found[at]);
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

/** Runs with the store open, and closes it whatever happens. */
export async function withStore<T>(
  context: Context,
  args: Arguments,
  run: (store: Store) => Promise<T>,
): Promise<T> {
  const store = await context.openStore(await findStore(context, args));
  try {
    return await run(store);
  } finally {
    await store.close();
  }
}
