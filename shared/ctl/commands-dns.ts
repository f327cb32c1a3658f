// The commands of DNS: zones, lines of clients, health of targets.

import type { Command, Flag, Positional } from './command.ts';
import * as flag from './flags.ts';

const LOCAL: readonly Flag[] = [
  { ...flag.SOCKET, help: 'control socket of the daemon (default /run/edge/dns.sock)' },
  flag.JSON_FLAG,
];
const CHANGE: readonly Flag[] = [...flag.WAIT, flag.JSON_FLAG, ...flag.STORE];
const ADDRESS: Positional = { name: 'ADDRESS' };
const POOL: Flag = { name: 'pool', value: 'NAME', help: 'only in this pool; else wherever it is' };

/** What a query of `explain NAME` brings along. */
export const EXPLAIN_QUERY: readonly Flag[] = [
  { name: 'from', value: 'ADDRESS', help: 'NAME: who asks; it must be given' },
  { name: 'ecs', value: 'PREFIX', help: 'NAME: the client that a resolver names' },
  { name: 'dnssec', help: 'NAME: with the DO bit' },
];

const lines: readonly Command[] = [
  {
    name: 'line list',
    summary: 'Lists the lines that clients can be in, and what each covers.',
    positionals: [],
    flags: LOCAL,
    notes: [
      'IPV4 and IPV6 are shares of all that any line but default covers. Exit 1 when a list file is',
      'wrong or the lines of the site are refused; those before stay in force.',
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
      'Counted by /24 and /48 in a sample, since the daemon started: ANSWERS is about right.',
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
      'STATE is what is acted on, MEASURED what the probes say; unchecked and unknown count as up.',
      'Exit 1 when no record uses POOL.',
    ],
    example: 'edgectl health list www-telecom',
    load: async () => (await import('./health.ts')).list,
  },
  {
    name: 'health override',
    summary: 'Takes a target for up, down or drained, whatever is measured.',
    positionals: [ADDRESS, { name: 'STATE', choices: ['up', 'down', 'drain'] }],
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
      'Neither down nor drained targets are answered. One of the pool wins over one of the address.',
      'Another override of the same target is replaced.',
    ],
    example: 'edgectl health override 59.43.0.10 down --why "rack move" --for 2h',
    load: async () => (await import('./health.ts')).override,
  },
  {
    name: 'health clear',
    summary: 'Ends an override: what is measured counts again.',
    positionals: [ADDRESS],
    flags: [{ ...POOL, help: 'the one of this pool' }, ...CHANGE],
    notes: ['Not being there is no error.'],
    example: 'edgectl health clear 59.43.0.10',
    load: async () => (await import('./health.ts')).clear,
  },
];

export const dns: readonly Command[] = [...lines, ...health];
