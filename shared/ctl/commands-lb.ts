// The commands of lb: what it serves, its targets, virtual servers.

import type { Command, Flag, Positional } from './command.ts';
import * as flag from './flags.ts';

const LOCAL: readonly Flag[] = [
  { ...flag.SOCKET, help: 'control socket of the daemon (default /run/edge/lb.sock)' },
  flag.JSON_FLAG,
];
const CHANGE: readonly Flag[] = [...flag.WAIT, flag.JSON_FLAG, ...flag.STORE];
const TARGET: Positional = { name: '[POOL/]TARGET' };
const POOL: Positional = { name: 'POOL' };
const AT: Positional = { name: 'AT' };

/** What a request of `explain URL` brings along. */
export const EXPLAIN_REQUEST: readonly Flag[] = [
  {
    name: 'header',
    short: 'H',
    value: "'NAME: VALUE'",
    many: true,
    help: 'URL: a header of the request',
  },
];

const seen: readonly Command[] = [
  {
    name: 'lb list',
    summary: 'Lists what the lb on this host serves, and what it has counted.',
    positionals: [
      { name: 'WHAT', optional: true, choices: ['servers', 'listeners', 'routes', 'pools'] },
    ],
    flags: LOCAL,
    notes: [
      'WHAT is one of servers, listeners, routes, pools; all of them unless told. Counts are since',
      'the daemon started, and of this instance. PROBLEM is why a listener is not open.',
    ],
    example: 'edgectl lb list listeners',
    load: async () => (await import('./lb.ts')).list,
  },
  {
    name: 'lb backends',
    summary: 'Lists the targets of pools as this host sees them, worst first.',
    positionals: [{ ...POOL, optional: true }],
    flags: LOCAL,
    notes: [
      'STATE is why a target takes no new requests: down, ejected, drain, full, bound (it has more',
      'than its part of a hash), weight-0, tier (a lower one serves); else up. WEIGHT is the one',
      'in force now, with slow start, of the one that is wanted. FLOWS and BYTES IN are of L4.',
      'Exit 1 when no virtual server, listener or route uses POOL.',
    ],
    example: 'edgectl lb backends www',
    load: async () => (await import('./lb.ts')).backends,
  },
  {
    name: 'lb impact',
    summary: 'Says which open connections of this host a file would end.',
    positionals: [],
    flags: [flag.FILES, { name: 'prune', help: 'as apply --prune would' }, ...LOCAL, ...flag.STORE],
    notes: [
      'The files are checked as apply does it, and nothing is stored. Requests that are under way',
      'end as they began and are not counted; nor are flows of virtual servers.',
    ],
    example: 'edgectl lb impact -f site.yaml --prune',
    load: async () => (await import('./impact.ts')).impact,
  },
];

const targets: readonly Command[] = [
  {
    name: 'lb drain',
    summary: 'Gives a target no new clients; those that it has stay.',
    positionals: [TARGET],
    flags: [
      { name: 'why', value: 'TEXT', help: 'for whoever finds it' },
      { name: 'until', value: 'TIME', help: 'when it ends, e.g. 2026-12-01T08:00:00Z' },
      { name: 'for', value: 'TIME', help: 'how long it lasts, e.g. 1h; default until undrain' },
      ...CHANGE,
    ],
    notes: [
      'It is an override, as health override TARGET drain: TARGET is an address, at any port, or',
      'address:port; with POOL/ in this pool alone. lb backends and get override show it.',
    ],
    example: 'edgectl lb drain www/10.0.0.5:8080 --why deploy --for 1h',
    load: async () => (await import('./lb-targets.ts')).drain,
  },
  {
    name: 'lb undrain',
    summary: 'Gives a drained target its clients back.',
    positionals: [TARGET],
    flags: CHANGE,
    notes: [
      'It ends the override of that target, whatever it says: as health clear. TARGET and POOL are',
      'as they were given. Not being there is no error.',
    ],
    example: 'edgectl lb undrain www/10.0.0.5:8080',
    load: async () => (await import('./lb-targets.ts')).undrain,
  },
  {
    name: 'lb weight',
    summary: "Sets a target's weight in a pool, for good.",
    positionals: [POOL, { name: 'TARGET' }, { name: 'WEIGHT' }],
    flags: CHANGE,
    notes: [
      'It changes the pool of the site: a site file that says otherwise sets it back when applied.',
      'WEIGHT is 0 to 1000; 0 serves only when no other target can. TARGET may be an address alone',
      'where the pool has it once.',
    ],
    example: 'edgectl lb weight www 10.0.0.5:8080 3',
    load: async () => (await import('./lb-targets.ts')).weight,
  },
];

const vservers: readonly Command[] = [
  {
    name: 'vserver add',
    summary: 'Serves a port, or a range of ports, of an address by a pool.',
    positionals: [AT, POOL],
    flags: [
      {
        name: 'mode',
        value: 'MODE',
        choices: ['nat', 'dsr'],
        help: 'default nat; with dsr targets answer by themselves',
      },
      {
        name: 'hash',
        value: 'WHAT',
        choices: ['source', 'flow'],
        help: 'what picks the target; default flow',
      },
      {
        name: 'lost',
        value: 'WHAT',
        choices: ['reset', 'leave'],
        help: 'flows of a target that is down; default reset',
      },
      flag.REPLACE,
      ...CHANGE,
    ],
    notes: ['AT is ADDRESS:PORT/tcp or ADDRESS:FIRST-LAST/udp. The pool has to be there.'],
    example: 'edgectl vserver add 198.51.100.10:53/udp resolvers --hash source',
    load: async () => (await import('./vserver.ts')).add,
  },
  {
    name: 'vserver del',
    summary: 'Deletes virtual servers; their pools stay.',
    positionals: [{ ...AT, many: true }],
    flags: [flag.YES, ...CHANGE],
    example: 'edgectl vserver del 198.51.100.10:53/udp',
    load: async () => (await import('./vserver.ts')).del,
  },
  {
    name: 'vserver list',
    summary: 'Lists virtual servers, as they are stored.',
    positionals: [],
    flags: [flag.JSON_FLAG, ...flag.STORE],
    example: 'edgectl vserver list',
    load: async () => (await import('./vserver.ts')).list,
  },
];

export const lb: readonly Command[] = [...seen, ...targets, ...vservers];
