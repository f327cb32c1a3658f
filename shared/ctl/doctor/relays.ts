// Doctor: the way back to relays. An answer goes to the relay that the message came by; the ones
// that subnets of the site name are looked at.
import type { Store } from '../../store/types.ts';
import { someNames } from '../names.ts';
import { type Finding, fail, ok } from './finding.ts';
import type { Host } from './host.ts';

/** A process each; a way to some tells of the others. */
const MOST_RELAYS = 32;

async function relaysIn(store: Store): Promise<string[]> {
  const found = new Set<string>();
  for await (const batch of store.scan('dhcpd')) {
    for (const { kind, value } of batch) {
      if (kind !== 'subnet') continue;
      const { relays } = Object(JSON.parse(value)) as { relays?: unknown }; // as site objects are
      for (const relay of Array.isArray(relays) ? relays : []) found.add(String(relay));
    }
  }
  return [...found].sort();
}

export async function relayChecks(host: Host, store: Store): Promise<Finding[]> {
  const check = 'dhcpd.relays';
  const relays = (await relaysIn(store)).slice(0, MOST_RELAYS);
  const ways = await Promise.all(
    relays.map((relay) => host.run('ip', ['-json', 'route', 'get', relay])),
  );
  const cut = relays.filter((_, at) => ways[at] === undefined);
  if (cut.length > 0) {
    const remedy = `see: ip route get ${cut[0]}`;
    return [fail(check, `there is no route to the relays ${someNames(cut)}`, remedy)];
  }
  return relays.length === 0 ? [] : [ok(check, 'there is a route to every relay')];
}
