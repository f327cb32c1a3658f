// The verifier's log is thousands of lines; the one that says why stands near its end.

/** Statistics that the verifier adds after the reason. */
const STATISTICS = /^(processed \d+ insns|verification time|stack depth|peak_states|mark_read)/;

/** The line that says why, and how many lines were left out. */
export function summarizeLog(log: string): string {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  const reason = lines.findLast((line) => !STATISTICS.test(line))?.trim();
  if (reason === undefined) return 'refused by the verifier, which does not say why';
  const omitted = lines.length - 1;
  return omitted === 0 ? reason : `${reason} (${omitted} lines omitted)`;
}
