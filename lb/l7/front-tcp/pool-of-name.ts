// Which pool a server name of a `tls` listener means: the exact name, else the longest wildcard,
// else the listener's own. Pure.
import { hostMatches } from '../../../shared/site/host-pattern.ts';
import type { Listener } from '../../../shared/site/lb-objects.ts';

/** `serverName` in lower case without a final dot; undefined: the client named none. */
export function poolOfName(
  { names, pool }: Pick<Listener, 'names' | 'pool'>,
  serverName: string | undefined,
): string | undefined {
  if (serverName === undefined) return pool;
  let best: Listener['names'][number] | undefined;
  for (const each of names) {
    if (each.name === serverName) return each.pool;
    if (!hostMatches(each.name, serverName)) continue;
    if (best === undefined || each.name.length > best.name.length) best = each;
  }
  return best?.pool ?? pool;
}
