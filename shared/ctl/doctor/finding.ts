// One line of doctor's report.

export type Level = 'ok' | 'warn' | 'fail';

export type Finding = {
  level: Level;
  /** Stable, for scripts, e.g. `kernel.btf`. */
  check: string;
  message: string;
  /** What to do; only for warn and fail. */
  remedy?: string;
};

export const ok = (check: string, message: string): Finding => ({ level: 'ok', check, message });

export const warn = (check: string, message: string, remedy: string): Finding => ({
  level: 'warn',
  check,
  message,
  remedy,
});

export const fail = (check: string, message: string, remedy: string): Finding => ({
  level: 'fail',
  check,
  message,
  remedy,
});
