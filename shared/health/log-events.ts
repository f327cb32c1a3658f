// What health logs, for the event table of every service that uses it.
import type { EventTable } from '../log.ts';

export const healthEvents = {
  'health-up': {
    explanation: 'a target is up again by the votes of its probers',
    remedy: 'none needed',
  },
  'health-down': {
    explanation: 'a target is down by the votes of its probers; the reasons are theirs',
    remedy: 'look after the target; if it is well, see from which instances it cannot be reached',
  },
  'health-store-lost': {
    explanation:
      'the store is silent: health stays as it was known, then each instance probes itself',
    remedy: 'is Redis running, and reachable from here?',
  },
  'health-store-back': {
    explanation:
      'the store answers again; votes decide once all probers have had time to tell theirs',
    remedy: 'none needed',
  },
  'health-alone': {
    explanation: 'the store has been silent for long: this instance probes all targets and decides',
    remedy: 'is Redis running, and reachable from here?',
  },
  'health-not-probed': {
    explanation: 'this instance could not make a probe; that is no vote on its target',
    remedy: 'see the reason: rights (CAP_NET_RAW), routes, file descriptors of this instance',
  },
  'health-snapshot-refused': {
    explanation: 'the snapshot of health on disk is damaged and was not used',
    remedy: 'none needed: states come from the votes, and a new one is written',
  },
  'health-snapshot-unwritten': {
    explanation:
      'the snapshot of health could not be written: a restart without store knows nothing',
    remedy: 'see the error: is the disk full, the directory writable?',
  },
} as const satisfies EventTable;

export type HealthEvent = keyof typeof healthEvents;
