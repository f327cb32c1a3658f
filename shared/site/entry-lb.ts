// Objects of lb, and how it uses pools, as entries of a site file: what readSite() takes back.
import { formatDuration, formatSize } from '../net/units.ts';
import { inOrder } from './canonical.ts';
import { type Entry, type EntryValue, said } from './entry-value.ts';
import type { Certificate, Listener, PoolProxy, Route, VirtualServer } from './lb-objects.ts';
import { timeoutsEntry } from './lb-times.ts';
import { saidListener } from './listener.ts';
import { storedProxy } from './pool-proxy.ts';
import { saidRoute } from './route.ts';
import { formatVserverAt, VSERVER_USUAL } from './vserver.ts';
import { unless } from './zone.ts';

export function vserverEntry(vserver: VirtualServer): Entry {
  const { pool, mode, hash, lost } = vserver;
  return said({
    at: formatVserverAt(vserver),
    pool,
    mode: unless(VSERVER_USUAL.mode, mode),
    hash: unless(VSERVER_USUAL.hash, hash),
    lost: unless(VSERVER_USUAL.lost, lost),
  });
}

export function listenerEntry(listener: Listener): Entry {
  return { name: listener.name, ...plain(saidListener(listener)) };
}

export function routeEntry(route: Route): Entry {
  const { timeouts, maxBody, ...rest } = saidRoute(route);
  return said({
    name: route.name,
    ...plain(rest),
    maxBody: maxBody === undefined ? undefined : formatSize(maxBody),
    timeouts: timeoutsEntry(timeouts),
  });
}

export function certificateEntry({ name, chain }: Certificate): Entry {
  return { name, chain };
}

/** Undefined: all of it is usual. */
export function proxyEntry(proxy: PoolProxy): Entry | undefined {
  const stored = storedProxy(proxy);
  if (stored === undefined) return undefined;
  const { slowStart, timeouts, passive, sticky, agent, ...rest } = stored;
  return said({
    ...plain(rest),
    slowStart: time(slowStart),
    timeouts: timeoutsEntry(timeouts),
    passive: passive && said({ ...passive, eject: time(passive.eject) }),
    sticky: sticky && said({ ...sticky, ttl: time(sticky.ttl) }),
    agent: agent && said({ ...agent, interval: time(agent.interval) }),
  });
}

function time(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : formatDuration(milliseconds);
}

/** In the order of its keys as they are given; without what is undefined at any depth. */
function plain(fields: Record<string, unknown>): Entry {
  const pairs = Object.entries(fields).filter(([, value]) => value !== undefined);
  // What is said of an object is plain data, as it is stored.
  return Object.fromEntries(pairs.map(([key, value]) => [key, inOrder(value) as EntryValue]));
}
