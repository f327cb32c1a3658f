// Every event that a dns logs, with what it means and what to do. README.md shows the same table.
import { healthEvents } from '../shared/health/log-events.ts';
import type { EventTable } from '../shared/log.ts';

export const dnsEvents = {
  ...healthEvents,
  'plan-applied': {
    explanation: 'Zones, records and lines as the store wants them are known.',
    remedy: 'None needed.',
  },
  'plan-refused': {
    explanation: 'What the store wants contradicts itself; what was in force goes on.',
    remedy: 'Correct the objects that the reasons name: `edgectl diff`, `edgectl get`.',
  },
  'zone-loaded': {
    explanation: 'A zone, or a new version of it, is served.',
    remedy: 'None needed.',
  },
  'zone-refused': {
    explanation: 'A zone is wrong: the version before is served, or SERVFAIL where there is none.',
    remedy: 'Correct what the problems name, with file, line and column.',
  },
  'zone-warning': {
    explanation: 'A zone is served, but something in it is probably not meant so.',
    remedy: 'Look at the place that is named.',
  },
  'zone-gone': { explanation: 'A zone is not served any more.', remedy: 'None, if it is meant.' },
  'records-unused': {
    explanation: 'Records in the store belong to no zone that is made of site objects.',
    remedy: 'Add the zone, or delete the records.',
  },
  'transfer-failed': {
    explanation: 'A zone could not be transferred in this time; the copy that is there is served.',
    remedy: 'See the reason; it is tried again, from each primary.',
  },
  'notify-unheard': {
    explanation: 'A secondary did not take word of a new version; it will find it by itself.',
    remedy: 'Is it there, and does it allow NOTIFY from here?',
  },
  'lines-applied': {
    explanation: 'Prefix lists were compiled and are in force.',
    remedy: 'None needed.',
  },
  'lines-refused': {
    explanation: 'Lines of the store contradict each other; those before stay in force.',
    remedy: 'Correct the line objects that the reasons name.',
  },
  'line-file-bad': {
    explanation: 'A prefix list cannot be read or is wrong; its last good version stays.',
    remedy: 'Correct the place that is named.',
  },
  'zone-directory-bad': {
    explanation: 'The directory of zone files cannot be read; its zones stay.',
    remedy: 'Make it readable for the daemon.',
  },
  query: {
    explanation: 'A query that the query log has sampled, and how it was answered.',
    remedy: 'None needed.',
    isRecord: true,
  },
  'alias-unresolved': {
    explanation:
      'No resolver said the addresses of an ALIAS; the last good ones serve for an hour.',
    remedy: 'Is the target right, and do the `resolvers` answer from here?',
  },
  'alias-targets-many': {
    explanation:
      'ALIAS records point to more names elsewhere than are asked for; SERVFAIL for those.',
    remedy: 'Have fewer different targets, or their zones here.',
  },
  'answer-failed': {
    explanation: 'A message made the server fail; it was answered SERVFAIL.',
    remedy: 'Report it, with the query if you have it: this is a bug.',
  },
  'canary-passed': { explanation: 'It answers itself.', remedy: 'None needed.' },
  'canary-failed': {
    explanation: 'It did not answer itself; /readyz fails.',
    remedy: 'Look at its load and at what else listens on its address.',
  },
  'drain-started': {
    explanation: '/readyz fails; queries are still answered.',
    remedy: 'None needed.',
  },
  'drain-ended': { explanation: 'It is ready again.', remedy: 'None needed.' },
  drained: {
    explanation: '/readyz has failed for 5 s: clients have had time to turn to the others.',
    remedy: 'It may be stopped.',
  },
  'heartbeat-failed': {
    explanation: 'The others were not told how it is.',
    remedy: 'See the store.',
  },
} as const satisfies EventTable;

export type DnsEvent = keyof typeof dnsEvents;
