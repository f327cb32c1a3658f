// The reference model of the L4 balancer against the packet table.
import { describe, expect, it } from 'vitest';
import { lbCases, placesOf, stateOf } from '../../../support/lb/l4/cases.ts';
import { runModel } from '../../../support/lb/l4/model.ts';
import { checkChecksums, describeDifference } from '../../../support/packet.ts';

const NOW_NS = 1e13;

describe('the packet table', () => {
  it('names each row once', () => {
    const names = lbCases.map(({ what, program }) => `${what} (${program})`);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it.each(lbCases.map((row) => [`${row.what} (${row.program})`, row] as const))(
    '%s',
    (_name, row) => {
      const before = row.frame.slice();
      const { program, frame, isHost, segments } = row;
      const state = stateOf(row, NOW_NS);
      const input = { program, frame, isHost, state, nowNs: NOW_NS };
      const result = runModel({ ...input, ...(segments && { segments }) });
      expect(row.frame, 'the frame given is left alone').toEqual(before);
      const difference = describeDifference(result.frame, row.out);
      expect({ reason: result.reason, verdict: result.verdict }, difference).toEqual({
        reason: row.reason,
        verdict: row.verdict,
      });
      expect(Buffer.compare(result.frame, row.out), difference).toBe(0);
      expect([...result.steps]).toEqual(expect.arrayContaining(row.steps));
      expect(placesOf(result.state)).toEqual({ flows: row.flows, datagrams: row.datagrams });
      const { serverSlot = 0, targetSlot = 0, connections = 0 } = result.metered ?? {};
      const { server, target, opens } = row;
      expect({ server: serverSlot, target: targetSlot, opens: connections }).toEqual({
        server,
        target,
        opens,
      });
      if (checkChecksums(row.frame).length === 0) {
        expect(checkChecksums(row.out), difference).toEqual([]);
      }
    },
  );
});
