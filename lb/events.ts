// Every event that an lb logs, with what it means and what to do. README.md shows the same table.
import { healthEvents } from '../shared/health/log-events.ts';
import type { EventTable } from '../shared/log.ts';

export const lbEvents = {
  ...healthEvents,
  'plan-applied': {
    explanation: 'Servers, listeners, routes and pools as the store wants them are known.',
    remedy: 'None needed.',
  },
  'plan-refused': {
    explanation: 'What the store wants contradicts itself; what was in force goes on.',
    remedy: 'Correct the objects that the reasons name: `edgectl diff`, `edgectl get`.',
  },
  'certificate-unusable': {
    explanation: 'A certificate cannot be served: its key is missing, or of another certificate.',
    remedy: 'Put <name>.key into keyDirectory, readable by the daemon, and send SIGHUP.',
  },
  'listener-failed': {
    explanation: 'A listener is not, or not wholly, open: its address cannot be bound.',
    remedy: 'See the reason; it is tried again with each change and every 5 s.',
  },
  'vips-failed': {
    explanation: 'Addresses of servers or listeners could not be put on the link, or announced.',
    remedy: 'See the reason; it is tried again with the next change.',
  },
  announced: { explanation: 'Routes to the addresses are there.', remedy: 'None needed.' },
  withdrawn: {
    explanation: 'Routes to the addresses were taken away.',
    remedy: 'None: the node drains.',
  },
  'sysctl-set': { explanation: 'A setting of the kernel was changed.', remedy: 'None needed.' },
  'vip-addresses': {
    explanation: 'Addresses of servers or listeners came to the link, or went.',
    remedy: 'None needed.',
  },
  'maps-replaced': {
    explanation: 'Pinned maps had another shape: new ones, without known flows, took their place.',
    remedy: 'None, after an upgrade or a change of l4.capacity.',
  },
  'link-attached': { explanation: 'The programs of L4 are at a link.', remedy: 'None needed.' },
  'link-missing': {
    explanation: 'A configured link of L4 is not there.',
    remedy: 'Make it, or correct l4.uplink and l4.inside.',
  },
  'link-filter-replaced': {
    explanation: 'Somebody took the programs from a link; they were put back.',
    remedy: 'Find out who: another edge-lb with the same place, or a script with tc.',
  },
  'l4-failed': {
    explanation: 'A change could not be written into the kernel; it is tried again.',
    remedy: 'See the reason.',
  },
  'worker-ended': {
    explanation: 'A worker process ended; its connections with it. It is started again.',
    remedy: 'If it is none of yours who ended it: report what stands on stderr before.',
  },
  'worker-failed': {
    explanation: 'A worker process could not be started.',
    remedy: 'See the reason: memory, processes.',
  },
  'worker-trouble': {
    explanation: 'Something in a worker did not work; it serves.',
    remedy: 'See what it says: mostly the access log cannot be written.',
  },
  'agent-changed': {
    explanation: 'The agent of a target said something else than before.',
    remedy: 'None needed.',
  },
  'agent-silent': {
    explanation: 'The agent of a target does not answer; what it said before holds.',
    remedy: 'Is it there, and may this instance reach its port?',
  },
  'agent-unknown-words': {
    explanation: 'The agent of a target said words that mean nothing here; they are ignored.',
    remedy: 'See the agent-check words in README.md.',
  },
  'limits-alone': {
    explanation: 'Shared rate limits are counted by this instance alone, for Redis is away.',
    remedy: 'None: it ends when Redis answers.',
  },
  'heartbeat-failed': {
    explanation: 'Others could not be told that this instance lives.',
    remedy: 'None if the store is away; it is told every second.',
  },
  'drain-started': {
    explanation: 'The node is not ready; what is open goes on.',
    remedy: 'None needed: somebody asked for it.',
  },
  'drain-ended': { explanation: 'The node is ready again.', remedy: 'None needed.' },
  drained: {
    explanation: 'Nobody depends on the node any more.',
    remedy: 'Stop it when you like.',
  },
} as const satisfies EventTable;

export type LbEvent = keyof typeof lbEvents;
