// The faults by name: whom they strike, for how long, how soon all has to be well again, what
// clients may see meanwhile, and which records of level error they explain. Pure. How they are done
// is in faults/.
import type { Load } from './facts.ts';

/** An appliance: a dns with an embedded store of its own, on a small disk. */
export const KINDS = ['natter', 'dhcpd', 'dns', 'lb', 'redis', 'appliance'] as const;
export type Kind = (typeof KINDS)[number];

export type FaultKind = {
  name: string;
  what: string;
  victims: readonly Kind[];
  holdMs: readonly [least: number, most: number];
  recoverMs: number;
  /** Troubles of a load that one such fault may bring, by victim; what is not named: none. */
  allowed: Partial<Record<Kind, Partial<Record<Load, number>>>>;
  /** Events of level error that it explains, of the struck and of others. */
  explains: readonly string[];
};

// What a client has open in a worker that dies, and what it asks for until routers know: about a
// second (lb/README.md, Failure modes). Four requests a second and kind, of three clients.
const WORKER_DIES = { 'l7-http': 24, 'l7-https': 24 };
// A router that gets another next hop sends half of the connections to an instance that does not
// know them: open requests are cut. A client has at most a few under way.
const NEXT_HOP_CHANGES = { 'l7-http': 6, 'l7-https': 6 };
// New clients get nothing while no lease can be made durable, but for the long reserve
// (dhcpd/README.md); holders renew.
const NO_STORE = { 'dhcp-new': 60 };
/** Written when the store is away or full; each heals by itself. */
const STORE_EVENTS = ['snapshot-unwritten', 'health-snapshot-unwritten'];

const DAEMONS = ['natter', 'dhcpd', 'dns', 'lb'] as const;

export const CATALOGUE: readonly FaultKind[] = [
  {
    name: 'kill',
    what: 'kill -9, started again after the hold',
    victims: DAEMONS,
    holdMs: [1000, 5000],
    recoverMs: 60_000,
    allowed: { lb: WORKER_DIES },
    explains: ['worker-ended'],
  },
  {
    name: 'restart',
    what: 'SIGTERM, and started again',
    victims: DAEMONS,
    holdMs: [0, 0],
    recoverMs: 60_000,
    allowed: { lb: NEXT_HOP_CHANGES },
    explains: [],
  },
  {
    name: 'freeze',
    what: 'SIGSTOP of the daemon and its workers, SIGCONT after the hold',
    victims: DAEMONS,
    holdMs: [2000, 6000],
    recoverMs: 60_000,
    allowed: {},
    explains: [],
  },
  {
    name: 'redis-freeze',
    what: 'SIGSTOP of the primary, SIGCONT after the hold; a replica takes over',
    victims: ['redis'],
    holdMs: [4000, 12_000],
    recoverMs: 90_000,
    allowed: { redis: NO_STORE },
    explains: STORE_EVENTS,
  },
  {
    name: 'redis-kill',
    what: 'kill -9 of the primary, started again after the hold; a replica takes over',
    victims: ['redis'],
    holdMs: [4000, 10_000],
    recoverMs: 90_000,
    allowed: { redis: NO_STORE },
    explains: STORE_EVENTS,
  },
  {
    name: 'redis-restart',
    what: 'all servers and Sentinels stopped, and started again after the hold',
    victims: ['redis'],
    holdMs: [3000, 10_000],
    recoverMs: 90_000,
    allowed: { redis: NO_STORE },
    explains: STORE_EVENTS,
  },
  {
    name: 'redis-cut',
    what: 'a daemon reaches neither Redis nor Sentinels',
    victims: DAEMONS,
    holdMs: [4000, 15_000],
    recoverMs: 60_000,
    allowed: {},
    explains: STORE_EVENTS,
  },
  {
    name: 'uplink-down',
    what: 'the link to the ToR goes down',
    victims: ['natter', 'lb'],
    holdMs: [3000, 8000],
    recoverMs: 60_000,
    allowed: { lb: { 'l7-http': 12, 'l7-https': 12 } },
    explains: [],
  },
  {
    name: 'inside-down',
    what: 'the link to the inside goes down',
    victims: ['natter', 'dhcpd', 'dns'],
    holdMs: [3000, 8000],
    recoverMs: 60_000,
    allowed: {},
    explains: STORE_EVENTS,
  },
  {
    name: 'loss',
    what: '3 % of the packets of a link are lost, each way',
    victims: [...DAEMONS, 'redis'],
    holdMs: [6000, 12_000],
    recoverMs: 60_000,
    // BFD may lose three packets in a row, and the router its next hop.
    allowed: { lb: NEXT_HOP_CHANGES },
    explains: STORE_EVENTS,
  },
  {
    name: 'disk-full',
    what: 'started with a small disk for its state, which is then full',
    victims: DAEMONS,
    holdMs: [4000, 10_000],
    recoverMs: 60_000,
    allowed: { lb: NEXT_HOP_CHANGES },
    explains: STORE_EVENTS,
  },
  {
    name: 'store-disk-full',
    what: 'the disk of an embedded store is full: no changes, but answers; then changes again',
    victims: ['appliance'],
    holdMs: [4000, 10_000],
    recoverMs: 60_000,
    allowed: {},
    explains: [...STORE_EVENTS, 'embedded-exited'],
  },
  {
    name: 'clock-jump',
    what: 'its wall clock jumps by an hour, ahead or back, and back again after the hold',
    victims: DAEMONS,
    holdMs: [4000, 12_000],
    recoverMs: 60_000,
    allowed: { lb: NEXT_HOP_CHANGES },
    explains: [],
  },
];

export const kindOf = (name: string): FaultKind => {
  const found = CATALOGUE.find((kind) => kind.name === name);
  if (found === undefined) throw new RangeError(`no fault ${name}`);
  return found;
};
