// Flags that several commands share, and how their values are read.

import { parseDuration } from '../net/units.ts';
import { type Arguments, type Flag, UsageError } from './command.ts';

export const STORE: readonly Flag[] = [
  { name: 'store', value: 'URL', help: 'where the store is (else EDGE_STORE, the config, local)' },
  { name: 'config', value: 'FILE', help: 'settings of edgectl (default /etc/edge/edgectl.yaml)' },
];

export const JSON_FLAG: Flag = { name: 'json', help: 'JSON with stable fields on stdout' };

export const WAIT: readonly Flag[] = [
  { name: 'wait', value: 'TIME', help: 'how long live instances may take (default 10s)' },
  { name: 'no-wait', help: 'be content once it is stored' },
];

export const YES: Flag = { name: 'yes', help: 'delete more than half of a kind without asking' };
export const DRY_RUN: Flag = { name: 'dry-run', help: 'check and show the changes, store nothing' };
export const REPLACE: Flag = { name: 'replace', help: 'overwrite what is stored and differs' };

export const FILES: Flag = {
  name: 'file',
  short: 'f',
  value: 'FILE',
  many: true,
  help: 'site file, YAML or JSON; - is stdin',
};

export const SOCKET: Flag = {
  name: 'socket',
  value: 'PATH',
  help: 'control socket of the daemon (default /run/edge/natter.sock)',
};

export const LIMITS: readonly Flag[] = [
  { name: 'in', value: 'RATE', help: 'inbound limit, e.g. 100mbit' },
  { name: 'out', value: 'RATE', help: 'outbound limit' },
  { name: 'burst', value: 'SIZE', help: 'what may pass at once, e.g. 256kb' },
];

/** May stand before the command too. */
export const EVERYWHERE: readonly Flag[] = [...STORE, JSON_FLAG];

/** The value of a duration flag in milliseconds. Throws UsageError. */
export function durationMs(args: Arguments, name: string, defaultMs: number): number {
  const text = args.values.get(name);
  if (text === undefined) return defaultMs;
  const parsed = parseDuration(text);
  if (parsed === undefined) {
    throw new UsageError(`--${name} is a time such as 10s or 500ms, not "${text}"`);
  }
  return parsed;
}
