// What a service that uses health measures of it: one table, with the service's name in the names.
import type { Declared, MetricTable } from '../metrics.ts';
import type { Health } from './health.ts';
import type { Mode } from './mode.ts';

const MODES: readonly Mode[] = ['joining', 'shared', 'frozen', 'alone', 'settling'];

/** For a table of the service's metrics.ts, to be declared with `collectHealth`. */
export function healthMetrics<const Service extends string>(service: Service) {
  const name = <const Rest extends string>(rest: Rest) => `edge_${service}_health_${rest}` as const;
  return {
    targets: {
      type: 'gauge',
      name: name('targets'),
      help: 'Targets by the state that was measured.',
      labels: ['state'],
    },
    mode: {
      type: 'gauge',
      name: name('mode'),
      help: 'What states rest on: 1 for one of joining, shared, frozen, alone and settling.',
      labels: ['mode'],
    },
    probers: {
      type: 'gauge',
      name: name('probers'),
      help: 'Instances that probe and live, of all services.',
    },
    probing: {
      type: 'gauge',
      name: name('targets_probed'),
      help: 'Targets that this instance probes itself.',
    },
    running: {
      type: 'gauge',
      name: name('probes_running'),
      help: 'Probes that are under way.',
    },
    waiting: {
      type: 'gauge',
      name: name('probes_waiting'),
      help: 'Probes that are due and wait until another one ends.',
    },
    delayed: {
      type: 'counter',
      name: name('probes_delayed_total'),
      help: 'Probes that had to wait until another one ended.',
    },
    probes: {
      type: 'counter',
      name: name('probes_total'),
      help: 'Probes by type of check and by what came of them: good, bad, or not probed.',
      labels: ['type', 'verdict'],
    },
    flips: {
      type: 'counter',
      name: name('flips_total'),
      help: 'Changes of the state of targets, by the new state.',
      labels: ['state'],
    },
    overrides: {
      type: 'gauge',
      name: name('overrides'),
      help: 'Overrides by operators that are in force.',
    },
    writes: {
      type: 'counter',
      name: name('vote_writes_total'),
      help: 'Writes of votes to the store.',
    },
    failures: {
      type: 'counter',
      name: name('store_failures_total'),
      help: 'Exchanges with the store that failed.',
    },
  } as const satisfies MetricTable;
}

/** Before each scrape. */
export function collectHealth(
  own: Declared<ReturnType<typeof healthMetrics>>,
  health: Pick<Health, 'status' | 'counts' | 'load'>,
): void {
  const { mode, probers, targets, probing, overrides } = health.status();
  for (const [state, count] of Object.entries(targets)) own.targets.set(count, { state });
  for (const each of MODES) own.mode.set(each === mode ? 1 : 0, { mode: each });
  own.probers.set(probers.length);
  own.probing.set(probing);
  own.overrides.set(overrides);
  const { running, waiting, delayed, writes } = health.load;
  own.running.set(running);
  own.waiting.set(waiting);
  own.delayed.setTotal(delayed);
  own.writes.setTotal(writes);
  const { flips, boardFailures } = health.counts;
  own.failures.setTotal(boardFailures);
  for (const [state, count] of Object.entries(flips)) own.flips.setTotal(count, { state });
  for (const { type, verdict, count } of health.counts.probes()) {
    own.probes.setTotal(count, { type, verdict });
  }
}
