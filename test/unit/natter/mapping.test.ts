// The reference model against the packet table.
import { describe, expect, it } from 'vitest';
import { natterCases } from '../../support/natter-cases.ts';
import { createSiteModel } from '../../support/natter-model.ts';
import { checkChecksums, describeDifference } from '../../support/packet.ts';

const site = createSiteModel();

describe('the packet table', () => {
  it('names each row once', () => {
    const names = natterCases.map(({ what, program }) => `${what} (${program})`);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it.each(natterCases.map((row) => [`${row.what} (${row.program})`, row] as const))(
    '%s',
    (_name, row) => {
      const before = row.frame.slice();
      const result = site.run(row);
      expect(row.frame, 'the frame given is left alone').toEqual(before);
      const difference = describeDifference(result.frame, row.out);
      expect({ reason: result.reason, verdict: result.verdict }, difference).toEqual({
        reason: row.reason,
        verdict: row.verdict,
      });
      expect(Buffer.compare(result.frame, row.out), difference).toBe(0);
      expect([...result.steps]).toEqual(expect.arrayContaining(row.steps));
      expect(result.metered).toEqual(row.metered);
      expect(result.recorded).toMatchObject(row.recorded);
      expect(result.recorded.length).toBe(row.recorded.length);
      if (checkChecksums(row.frame).length === 0) {
        expect(checkChecksums(row.out), difference).toEqual([]);
      }
    },
  );
});
