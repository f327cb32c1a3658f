// One line of doctor's report.
import type { CheckId } from './checks.ts';

export type Level = 'ok' | 'warn' | 'fail';

export type Finding = {
  level: Level;
  /** Stable, for scripts, e.g. `kernel.btf`: checks.ts has them all. */
  check: CheckId;
  message: string;
  /** What to do; only for warn and fail. */
  remedy?: string;
};

export const ok = (check: CheckId, message: string): Finding => ({ level: 'ok', check, message });

export const warn = (check: CheckId, message: string, remedy: string): Finding => ({
  level: 'warn',
  check,
  message,
  remedy,
});

export const fail = (check: CheckId, message: string, remedy: string): Finding => ({
  level: 'fail',
  check,
  message,
  remedy,
});
