// lb's loaded L4 programs over several packets and changes of the table.
import { afterEach, beforeAll, describe, it } from 'vitest';
import type { BpfObject } from '../../shared/bpf/types.ts';
import {
  loadLb,
  monotonicNs,
  readState,
  runKernel,
  writeState,
  writeTable,
  writeTarget,
} from '../support/lb/l4/kernel.ts';
import { type Player, scenarios } from '../support/lb/l4/scenarios.ts';
import { LINK_OF, type LinkName, siteTable, tableOf } from '../support/lb/l4/site.ts';
import { buildLinks } from '../support/natter-kernel.ts';
import { needs, program, root } from '../support/skip.ts';

let ifindex: Record<LinkName, number>;
let object: BpfObject | undefined;

beforeAll(() => {
  if (root().met) ifindex = buildLinks();
});
afterEach(() => {
  object?.close();
  object = undefined;
});

function createPlayer(of: BpfObject): Player {
  return {
    send(name, frame) {
      const input = { program: name, frame, ifindex: ifindex[LINK_OF[name]] };
      const run = runKernel(of, input);
      return { reason: run.reason, target: run.targetSlot, frame: run.frame };
    },
    swap: (pool, slots) => writeTable(of, pool, tableOf(slots)),
    setTarget: (slot, target) => writeTarget(of, slot, target),
    age(seconds) {
      const ns = seconds * 1e9;
      const { connections, fragments, gate } = readState(of);
      writeState(of, {
        connections: new Map(
          [...connections].map(([key, value]) => [key, { ...value, seenNs: value.seenNs - ns }]),
        ),
        fragments,
        gate: { ...gate, sinceNs: Math.min(gate.sinceNs, monotonicNs()) - ns },
      });
    },
    fillGate() {
      const gate = { sinceNs: monotonicNs() + FULL_FOR_NS, count: 125_000 };
      writeState(of, { ...readState(of), gate });
    },
    state: () => readState(of),
  };
}

/** However slow the machine is, the second in which the gate is full does not end by itself. */
const FULL_FOR_NS = 600e9;

describe('the loaded programs', () => {
  it.for(scenarios)('%s', ([, play], context) => {
    needs(context, root(), program('ip'));
    object = loadLb(siteTable);
    play(createPlayer(object));
  });
});
