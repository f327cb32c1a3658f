// What the store logs, for the event table of every service that follows it.
import type { EventTable } from '../log.ts';

export const storeEvents = {
  'store-up': {
    explanation: 'the store answers',
    remedy: 'none needed',
  },
  'store-down': {
    explanation: 'the store does not answer; the last good state goes on serving',
    remedy: 'see the error: is Redis running, reachable, and the password right?',
  },
  'store-reload': {
    explanation: 'the changes do not join on to what is held: the whole state is read again',
    remedy: 'none needed after an outage or a failover; often: the change stream is too short',
  },
  'state-taken': {
    explanation: 'a whole state was read and taken over',
    remedy: 'none needed',
  },
  'state-refused': {
    explanation: 'the desired state is wrong; the last good one goes on serving',
    remedy: 'correct the objects that the reasons name; it is tried again with the next change',
  },
  'state-implausible': {
    explanation: 'the store went back in time and lost most objects; the last good state serves on',
    remedy: 'restore Redis or apply the site file; or say that it is meant: edgectl confirm',
  },
  'digest-mismatch': {
    explanation: "the store's objects do not add up to its digest: edited by hand?",
    remedy: 'apply the site file, and change objects only with edgectl',
  },
  'store-damaged': {
    explanation: 'a key of the store holds what no edgectl wrote; the last good state serves on',
    remedy:
      'find out who writes to Redis by hand; restore it, or delete the key and apply the site',
  },
  'snapshot-refused': {
    explanation: 'the last good snapshot on disk is damaged and was not used',
    remedy: 'none needed once the store answers: a new one is written',
  },
  'snapshot-unwritten': {
    explanation:
      'the last good snapshot could not be written: a restart without store has old state',
    remedy: 'see the error: is the disk full, the directory writable?',
  },
  'embedded-exited': {
    explanation: 'the embedded redis-server ended by itself and is started again',
    remedy: 'see its log in the state directory',
  },
} as const satisfies EventTable;

export type StoreEvent = keyof typeof storeEvents;
