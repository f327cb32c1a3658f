// The reference model over several packets and changes of the table.
import { describe, it } from 'vitest';
import { EMPTY_STATE, type State, type Table } from '../../../../lb/l4/model/types.ts';
import { runModel } from '../../../support/lb/l4/model.ts';
import { type Player, scenarios } from '../../../support/lb/l4/scenarios.ts';
import { siteTable, tableOf } from '../../../support/lb/l4/site.ts';

function createPlayer(): Player {
  let state: State = EMPTY_STATE;
  let table: Table = siteTable;
  let nowNs = 1e13;
  return {
    send(program, frame) {
      const outcome = runModel({ program, frame, state, table, nowNs });
      state = outcome.state;
      return { reason: outcome.reason, target: outcome.targetSlot, frame: outcome.frame };
    },
    swap(pool, slots) {
      table = { ...table, tables: new Map(table.tables).set(pool, tableOf(slots)) };
    },
    setTarget(slot, target) {
      table = { ...table, targets: new Map(table.targets).set(slot, target) };
    },
    age(seconds) {
      nowNs += seconds * 1e9;
    },
    fillGate() {
      state = { ...state, gate: { sinceNs: nowNs, count: 125_000 } };
    },
    state: () => state,
  };
}

describe('the model', () => {
  it.each(scenarios)('%s', (_what, play) => play(createPlayer()));
});
