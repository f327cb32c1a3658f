// The commands of DNS: zones, lines of clients, health of targets.

import type { Flag } from './command.ts';

/** What a query of `explain NAME` brings along. */
export const EXPLAIN_QUERY: readonly Flag[] = [
  { name: 'from', value: 'ADDRESS', help: 'NAME: who asks; it must be given' },
  { name: 'ecs', value: 'PREFIX', help: 'NAME: the client that a resolver names' },
  { name: 'dnssec', help: 'NAME: with the DO bit' },
];
