// GET /lease/history: what the log of changes still has of an address or a client, newest last.
// docs/leases.md §5: events are `[type, address, mac, keyHex, toldUntil, leaseSeconds, hostname?]`.

import { formatIpv4 } from '../../shared/net/ipv4.ts';
import { formatMac, macFromBytes } from '../../shared/net/mac.ts';
import { leaseKeys } from '../../shared/store/keys.ts';
import type { Reply } from '../../shared/store/link.ts';
import { Links } from '../../shared/store/links.ts';
import type { StoreConfig } from '../../shared/store/open.ts';
import { reachableAddress } from '../../shared/store/url.ts';
import { SERVICE } from '../name.ts';
import { address, fieldsOfQuery, limit, macBytes } from './question.ts';

const LANE = 'history';
const MOST = 1000;
const ENTRIES_PER_READ = 200;
const CLIENT_ID_KEY = '01';

export type LeaseEventView = {
  time: string;
  type: string;
  address: string;
  mac: string;
  clientId?: string;
  toldUntil?: number;
  leaseSeconds?: number;
  hostname?: string;
  instance: number;
};

export class LeaseHistory {
  readonly #links: Links;
  readonly #key = leaseKeys(SERVICE).log;

  constructor(store: StoreConfig) {
    this.#links = new Links(reachableAddress(store.url), store, []);
  }

  async page(query: URLSearchParams): Promise<{ events: LeaseEventView[] }> {
    const fields = fieldsOfQuery(query);
    const wanted = address(fields, 'address');
    const mac = macBytes(fields, 'mac');
    const most = limit(fields, MOST);
    const addressText = wanted === undefined ? undefined : formatIpv4(wanted);
    const macText = mac === undefined ? undefined : formatMac(macFromBytes(mac));
    const found: LeaseEventView[] = [];
    for await (const event of this.#newestFirst()) {
      if (addressText !== undefined && event.address !== addressText) continue;
      if (macText !== undefined && event.mac !== macText) continue;
      found.push(event);
      if (found.length >= most) break;
    }
    return { events: found.reverse() };
  }

  close(): void {
    this.#links.close();
  }

  async *#newestFirst(): AsyncGenerator<LeaseEventView> {
    for (let before = '+'; ; ) {
      const call = ['XREVRANGE', this.#key, before, '-', 'COUNT', ENTRIES_PER_READ] as const;
      const [reply] = await this.#links.run(LANE, this.#key, [call]);
      if (!Array.isArray(reply) || reply.length === 0) return;
      for (const entry of reply) {
        const [id, fields] = Array.isArray(entry) ? entry : [];
        yield* eventsOf(String(id), fields).reverse();
        before = `(${String(id)}`;
      }
    }
  }
}

/** Of an entry of the log; what is no event of ours is passed over. */
export function eventsOf(id: string, fields: Reply | undefined): LeaseEventView[] {
  const values = new Map<string, string>();
  const list = Array.isArray(fields) ? fields : [];
  for (let at = 0; at + 1 < list.length; at += 2) values.set(`${list[at]}`, `${list[at + 1]}`);
  const time = new Date(Number(id.split('-')[0])).toISOString();
  const instance = Number(values.get('i'));
  return parseEvents(values.get('e')).flatMap((event) => {
    const [type, address, mac, key, toldUntil, leaseSeconds, hostname] = event;
    if (typeof type !== 'string' || typeof address !== 'string') return [];
    const isClientId = typeof key === 'string' && key.startsWith(CLIENT_ID_KEY);
    return [
      {
        time,
        type,
        address,
        mac: String(mac),
        ...(isClientId ? { clientId: key.slice(2) } : {}),
        ...(typeof toldUntil === 'number' ? { toldUntil } : {}),
        ...(typeof leaseSeconds === 'number' ? { leaseSeconds } : {}),
        ...(typeof hostname === 'string' ? { hostname } : {}),
        instance,
      },
    ];
  });
}

function parseEvents(json: string | undefined): unknown[][] {
  try {
    const parsed: unknown = JSON.parse(json ?? '[]');
    return Array.isArray(parsed) ? parsed.filter((event) => Array.isArray(event)) : [];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [];
  }
}
