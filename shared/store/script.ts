// Lua scripts by EVALSHA. A server that does not know one (a restart, a failover, a new cluster
// node) says NOSCRIPT before it has done anything, and gets the text.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RedisClient } from './connection.ts';

export type Script = { name: string; text: string; sha: string };

export function loadScript(name: 'apply' | 'heartbeat' | 'leave' | 'members' | 'raise'): Script {
  return readScript(name, new URL(`./lua/${name}.lua`, import.meta.url));
}

/** A script of a service's own. */
export function readScript(name: string, file: URL): Script {
  const text = readFileSync(file, 'utf8');
  return { name, text, sha: createHash('sha1').update(text).digest('hex') };
}

export async function runScript(
  client: RedisClient,
  script: Script,
  keys: readonly string[],
  argv: readonly string[],
): Promise<unknown> {
  try {
    return await client.evalsha(script.sha, keys.length, ...keys, ...argv);
  } catch (error) {
    if (!isRefused(error, 'NOSCRIPT')) throw error;
    return client.eval(script.text, keys.length, ...keys, ...argv);
  }
}

/** One that only reads: since Redis 7, who runs it needs no right to write its keys. */
export async function runReadOnly(
  client: RedisClient,
  script: Script,
  keys: readonly string[],
): Promise<unknown> {
  try {
    return await client.evalsha_ro(script.sha, keys.length, ...keys);
  } catch (error) {
    if (isRefused(error, 'NOSCRIPT')) return client.eval_ro(script.text, keys.length, ...keys);
    if (isRefused(error, 'ERR unknown command')) return runScript(client, script, keys, []);
    throw error;
  }
}

function isRefused(error: unknown, word: string): boolean {
  return error instanceof Error && error.message.startsWith(word);
}
