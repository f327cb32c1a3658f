import { describe, expect, test } from 'vitest';
import { summarizeLog } from '../../../../shared/bpf/verifier-log.ts';

const statistics =
  'processed 7 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0';

describe('a verifier log', () => {
  test('is summed up by the line before the statistics', () => {
    const reason = '0: R1=ctx()\n7: (61) r0 = *(u32 *)(r0 +0)\nR0 invalid mem access';
    expect(summarizeLog(`${reason}\n${statistics}\n\n`)).toBe(
      'R0 invalid mem access (3 lines omitted)',
    );
  });

  test('of one line is that line', () => {
    expect(summarizeLog('Unrecognized arg#0 type PTR\n')).toBe('Unrecognized arg#0 type PTR');
  });

  test('without a reason says so', () => {
    expect(summarizeLog(`${statistics}\n`)).toMatch(/does not say why/);
    expect(summarizeLog('')).toMatch(/does not say why/);
  });
});
