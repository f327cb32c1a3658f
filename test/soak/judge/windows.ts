// When faults were at work. Pure.

import { KINDS, type Kind, kindOf } from '../catalogue.ts';
import type { FaultSeen, Load } from '../facts.ts';

/** What a fault did may be heard of a little later than it was over. */
export const TAIL_MS = 2000;

export type Window = { fault: FaultSeen; fromMs: number; toMs: number };

export const windowsOf = (faults: readonly FaultSeen[]): Window[] =>
  faults.map((fault) => ({
    fault,
    fromMs: fault.struckAtMs,
    toMs: (fault.recoveredAtMs ?? fault.healedAtMs + kindOf(fault.name).recoverMs) + TAIL_MS,
  }));

/** Those that overlap with the time from `fromMs` to `toMs`. */
export const during = (windows: readonly Window[], fromMs: number, toMs = fromMs): Window[] =>
  windows.filter((window) => window.fromMs <= toMs && fromMs <= window.toMs);

/** Of its name, such as natter-2. */
export function kindOfVictim(victim: string): Kind | undefined {
  return KINDS.find((kind) => victim === kind || victim.startsWith(`${kind}-`));
}

/** How many troubles of a load this fault may bring. */
export function allowed({ name, victim }: FaultSeen, load: Load): number {
  const kind = kindOfVictim(victim);
  return kind === undefined ? 0 : (kindOf(name).allowed[kind]?.[load] ?? 0);
}
