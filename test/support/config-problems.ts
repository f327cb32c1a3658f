// What a configuration is refused for, as a test compares it.
import { ConfigError } from '../../shared/errors.ts';

/** `line:column: message` of each problem; none when it loads. */
export function problemsOf(load: () => unknown): string[] {
  try {
    load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ line, column, message }) => `${line}:${column}: ${message}`);
  }
  return [];
}
