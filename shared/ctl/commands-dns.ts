// The commands of DNS: zones, lines of clients, health of targets.

import type { Command, Flag, Positional } from './command.ts';
import * as flag from './flags.ts';

const SOCKET: Flag = {
  ...flag.SOCKET,
  help: 'control socket of the daemon (default /run/edge/dns.sock)',
};
const LOCAL: readonly Flag[] = [SOCKET, flag.JSON_FLAG];
const CHANGE: readonly Flag[] = [...flag.WAIT, flag.JSON_FLAG, ...flag.STORE];
const ADDRESS: Positional = { name: 'ADDRESS' };
const TARGET: Positional = { name: 'TARGET' };
const POOL: Flag = { name: 'pool', value: 'NAME', help: 'only in this pool; else wherever it is' };

/** What a query of `explain NAME` brings along; `from` is of requests, too. */
export const EXPLAIN_QUERY: readonly Flag[] = [
  { name: 'from', value: 'ADDRESS', help: 'NAME, URL: who asks; a NAME needs it' },
  { name: 'ecs', value: 'PREFIX', help: 'NAME: the client that a resolver names' },
  { name: 'dnssec', help: 'NAME: with the DO bit' },
];

const ZONE: Positional = { name: 'ZONE' };
const FILE: Positional = { name: 'FILE' };
const ZONE_NAME: Flag = {
  name: 'zone',
  value: 'NAME',
  help: 'which zone FILE is (default by FILE.zone, or its SOA)',
};

const zones: readonly Command[] = [
  {
    name: 'zone list',
    summary: 'Lists the zones that the dns on this host serves, or refuses, and why.',
    positionals: [],
    flags: LOCAL,
    notes: ['FROM is where a zone comes from: a file, objects of the site, or a transfer.'],
    example: 'edgectl zone list',
    load: async () => (await import('./zone.ts')).list,
  },
  {
    name: 'zone show',
    summary: 'Prints a zone as it is served, as a zone file.',
    positionals: [ZONE],
    flags: LOCAL,
    notes: ['Records by line are not in it: edgectl get record NAME/TYPE shows one.'],
    example: 'edgectl zone show example.com',
    load: async () => (await import('./zone.ts')).show,
  },
  {
    name: 'zone export',
    summary: 'Writes a zone as it is served to a zone file; without FILE to stdout.',
    positionals: [ZONE, { ...FILE, optional: true }],
    flags: [SOCKET],
    notes: ['FILE is replaced once all of the zone has come.'],
    example: 'edgectl zone export example.com example.com.zone',
    load: async () => (await import('./zone.ts')).exportZone,
  },
  {
    name: 'zone import',
    summary: 'Makes a zone of the site from a zone file: adds and changes its records.',
    positionals: [FILE],
    flags: [
      ZONE_NAME,
      { name: 'replace', help: 'also delete records of the zone that FILE does not have' },
      flag.YES,
      flag.DRY_RUN,
      ...CHANGE,
    ],
    notes: [
      'FILE is of RFC 1035 (- is stdin). Every problem is told at its place, and then nothing is',
      "stored (exit 78). The serial goes on from the file's; who may transfer it stays. Signed",
      'zones are refused. Records by line stay, unless FILE has them and --replace is given.',
    ],
    example: 'edgectl zone import example.com.zone --replace',
    load: async () => (await import('./zone-import.ts')).importZone,
  },
  {
    name: 'zone check',
    summary: 'Says whether dns would serve a zone file, and all that is wrong with it.',
    positionals: [FILE],
    flags: [ZONE_NAME, flag.JSON_FLAG],
    notes: ['Needs no daemon and no store; - is stdin. Exit 1: it would not be served.'],
    example: 'edgectl zone check example.com.zone',
    load: async () => (await import('./zone-check.ts')).check,
  },
  {
    name: 'zone diff',
    summary: 'Shows what is served (-) against a zone file (+), record by record.',
    positionals: [ZONE, FILE],
    flags: LOCAL,
    notes: [
      'A serial alone is no difference; both are named on stderr. FILE may be - for stdin.',
      'Exit 0: nothing. 1: something. 2: trouble. 78: the file is wrong.',
    ],
    example: 'edgectl zone diff example.com example.com.zone',
    troubleCode: 2,
    load: async () => (await import('./zone-diff.ts')).diff,
  },
  {
    name: 'zone version',
    summary: 'What each live dns has applied and serves; digests of the zones named.',
    positionals: [{ ...ZONE, optional: true, many: true }],
    flags: [flag.JSON_FLAG, ...flag.STORE],
    notes: [
      'Asks those whose admin.listen is not on loopback; of others only DNS and POOLS are known,',
      'the versions in force.',
      'Exit 1: a zone is not everywhere the same, or a dns could not be asked. 3: none is live.',
    ],
    example: 'edgectl zone version example.com',
    load: async () => (await import('./zone-version.ts')).version,
  },
];

const lines: readonly Command[] = [
  {
    name: 'line list',
    summary: 'Lists the lines that clients can be in, and what each covers.',
    positionals: [],
    flags: LOCAL,
    notes: [
      'IPV4 and IPV6 are shares of all that any line but default covers. Exit 1 when a list file',
      'is wrong or the lines of the site are refused; those before stay in force.',
    ],
    example: 'edgectl line list',
    load: async () => (await import('./line.ts')).list,
  },
  {
    name: 'line of',
    summary: 'Says which line addresses are in, and by which prefix.',
    positionals: [{ ...ADDRESS, many: true }],
    flags: LOCAL,
    notes: ['PREFIX is also the longest scope that an answer by line has for them.'],
    example: 'edgectl line of 59.43.1.1 2408:8000::1',
    load: async () => (await import('./line.ts')).of,
  },
  {
    name: 'line report',
    summary: 'What is to be said of the lists: coverage, conflicts, nesting, bogons.',
    positionals: [],
    flags: LOCAL,
    notes: ['Exit 1 when a list file is wrong or the lines of the site are refused.'],
    example: 'edgectl line report',
    load: async () => (await import('./line.ts')).report,
  },
  {
    name: 'line unknown',
    summary: 'The clients of line default that ask most: what the lists do not know.',
    positionals: [],
    flags: [{ name: 'limit', value: 'COUNT', help: 'the first so many (default 20)' }, ...LOCAL],
    notes: [
      'Counted by /24 and /48 in a sample, since the daemon started: each 61st answer stands for',
      '61, so small numbers are rough. What of ANSWERS may be of others is not in AT LEAST.',
    ],
    example: 'edgectl line unknown --limit 50',
    load: async () => (await import('./line.ts')).unknown,
  },
];

const health: readonly Command[] = [
  {
    name: 'health list',
    summary: 'Lists the targets of pools that records use, and their state.',
    positionals: [{ name: 'POOL', optional: true }],
    flags: LOCAL,
    notes: [
      'STATE is what is acted on, MEASURED what probes say; unchecked and unknown count as up.',
      'Exit 1 when no record uses POOL.',
    ],
    example: 'edgectl health list www-telecom',
    load: async () => (await import('./health.ts')).list,
  },
  {
    name: 'health override',
    summary: 'Takes a target for up, down or drained, whatever is measured.',
    positionals: [TARGET, { name: 'STATE', choices: ['up', 'down', 'drain'] }],
    flags: [
      { name: 'why', value: 'TEXT', help: 'for whoever finds it; it must be given' },
      POOL,
      { name: 'until', value: 'TIME', help: 'when it ends, e.g. 2026-12-01T08:00:00Z' },
      {
        name: 'for',
        value: 'TIME',
        help: 'how long it lasts, e.g. 1h; default until it is cleared',
      },
      ...CHANGE,
    ],
    notes: [
      'TARGET is an address, at any port, or address:port. Neither down nor drained targets take',
      'new clients. What is said of a pool wins, then what is said of a port. Another override of',
      'the same target is replaced.',
    ],
    example: 'edgectl health override 59.43.0.10 down --why "rack move" --for 2h',
    load: async () => (await import('./health.ts')).override,
  },
  {
    name: 'health clear',
    summary: 'Ends an override: what is measured counts again.',
    positionals: [TARGET],
    flags: [{ ...POOL, help: 'the one of this pool' }, ...CHANGE],
    notes: ['TARGET and --pool are as they were given. Not being there is no error.'],
    example: 'edgectl health clear 59.43.0.10',
    load: async () => (await import('./health.ts')).clear,
  },
];

export const dns: readonly Command[] = [...zones, ...lines, ...health];
