// Our own servers: one Redis that syncs each write, and one or two instances on it.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Contender } from './types.ts';

const MAIN = join(import.meta.dirname, '../../../dhcpd/main.ts');

export function edgeContenders(): Contender[] {
  if (!existsSync(MAIN)) return [];
  return [];
}
