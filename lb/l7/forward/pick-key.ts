// What a request is balanced by: the hash of what the pool says, and the target of its sticky
// cookie. The same on all instances.
import type { PoolProxy } from '../../../shared/site/lb-objects.ts';
import type { PickKey, TargetId } from '../../pools/types.ts';
import type { ClientInfo, RequestView } from '../types.ts';

/** Of pools that need neither. */
const NO_KEY: PickKey = Object.freeze({ hash: 0 });

export function pickKeyOf(
  pool: { name: string; proxy: PoolProxy },
  view: RequestView,
  client: ClientInfo,
  sticky: { targetOf(pool: string, value: string): TargetId | undefined },
): PickKey {
  const { algorithm, sticky: cookie } = pool.proxy;
  const isHashed = algorithm === 'ring' || algorithm === 'maglev';
  if (!isHashed && cookie === undefined) return NO_KEY;
  const hash = isHashed ? hashText(hashedText(pool.proxy.hash, view, client)) : 0;
  const value = cookie && cookieValue(view.header('cookie'), cookie.cookie);
  const target = value === undefined ? undefined : sticky.targetOf(pool.name, value);
  return target === undefined ? { hash } : { hash, sticky: target };
}

/** A request without the header or cookie goes by its source. */
function hashedText(hash: PoolProxy['hash'], view: RequestView, client: ClientInfo): string {
  switch (hash.on) {
    case 'source':
      return client.address;
    case 'uri':
      return view.target;
    case 'path':
      return view.target.split('?', 1)[0] ?? '';
    case 'header':
      return view.header(hash.name.toLowerCase()) ?? client.address;
    case 'cookie':
      return cookieValue(view.header('cookie'), hash.name) ?? client.address;
  }
}

/** RFC 6265, 5.4: the first cookie of that name; names are told apart by case. */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}

/** 32 bits: FNV-1a over the characters, then MurmurHash3's finalizer, so that all bits count. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
