// What the servers of a store say of themselves, for doctor to judge: INFO, which managed servers
// allow where they forbid CONFIG, their settings where they tell them, and their clock.
import { Cluster } from 'ioredis';
import type { RedisClient } from './connection.ts';
import type { ServerFacts } from './types.ts';

/** One server's INFO as its lines say it. */
export type ServerInfo = Map<string, string>;

/** What doctor looks at; of passwords nothing is asked. */
const SETTINGS = ['append*', 'save', 'min-replicas-*'];

export async function inspectServers(client: RedisClient): Promise<ServerFacts[]> {
  const servers = client instanceof Cluster ? client.nodes('master') : [client];
  return Promise.all(
    servers.map(async (server) => {
      const info = parseInfo(await server.info());
      const answers = await Promise.all(SETTINGS.map((name) => setting(server, name)));
      const settings = answers.some((answer) => answer === undefined)
        ? undefined
        : new Map(answers.flatMap((answer) => answer ?? []));
      const [seconds, micros] = await server.time();
      return { info, settings, clockMs: Number(seconds) * 1000 + Number(micros) / 1000 };
    }),
  );
}

type Server = Exclude<RedisClient, Cluster>;

/** Undefined: it may not be asked (ACL, a managed server). */
async function setting(server: Server, name: string): Promise<[string, string][] | undefined> {
  let reply: unknown;
  try {
    reply = await server.config('GET', name);
  } catch (error) {
    if (error instanceof Error && /^(NOPERM|ERR)/.test(error.message)) return undefined;
    throw error;
  }
  const words = Array.isArray(reply) ? reply.map(String) : [];
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < words.length; at += 2) {
    pairs.push([words[at] ?? '', words[at + 1] ?? '']);
  }
  return pairs;
}

export function parseInfo(text: string): ServerInfo {
  const lines = text.split(/\r?\n/).filter((line) => line.includes(':'));
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}
