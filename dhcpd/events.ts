// Every event that a dhcpd logs, with what it means and what to do. README.md shows the same table.

import type { EventTable } from '../shared/log.ts';
import { ioEvents } from './io/events.ts';

export const dhcpdEvents = {
  ...ioEvents,
  'plan-applied': {
    explanation: 'Subnets, pools and reservations as the store wants them are in force.',
    remedy: 'None needed.',
  },
  'plan-refused': {
    explanation: 'What the store wants contradicts itself; the last good plan goes on.',
    remedy: 'Correct the objects that the reasons name: `edgectl diff`, `edgectl get`.',
  },
  'durability-found': {
    explanation: 'How a lease is made safe before it is promised.',
    remedy: 'With `none`, a crash of Redis may forget leases: name another `durability`.',
  },
  'book-loaded': { explanation: 'The leases were read from Redis.', remedy: 'None needed.' },
  'book-isolated': {
    explanation: 'Redis does not answer: reservations, /30s, renewals and the long reserve go on.',
    remedy: 'See the store.',
  },
  'book-returned': {
    explanation: 'Redis answers again, and has what was promised meanwhile.',
    remedy: 'None needed.',
  },
  'book-lineage': {
    explanation: 'Redis was restarted, restored or failed over: its leases are compared.',
    remedy: 'None needed after a failover; else find out who restarted it.',
  },
  'book-loss': {
    explanation: 'Redis had lost leases; they were taught again, and the block is in quarantine.',
    remedy: 'Check its durability: `edgectl doctor`.',
  },
  'book-conflict': {
    explanation: 'Two records of an address contradict each other.',
    remedy: 'The record names the address: look at both clients.',
  },
  'book-error': {
    explanation: 'A change of leases failed for a reason that is none of the usual.',
    remedy: 'See the error.',
  },
  'book-snapshot-refused': {
    explanation: 'The leases on disk are damaged or too old and were not used.',
    remedy: 'None needed once Redis answers.',
  },
  'request-failed': {
    explanation: 'An error of our own while a message was handled; the client got no answer.',
    remedy: 'Report it with the record.',
  },
  'pool-exhausted': {
    explanation: 'A network has no free address: new clients get no answer.',
    remedy: 'Enlarge its pools, or shorten its leases.',
  },
  'address-in-use': {
    explanation: 'A free address answered a probe: it is in quarantine, another one was offered.',
    remedy: 'Find who uses it without a lease.',
  },
  'address-declined': {
    explanation: 'A client found its address in use: it is in quarantine.',
    remedy: 'Find who uses it without a lease.',
  },
  'reservation-taken': {
    explanation: 'A reserved address is held by another client, so its owner got one of the pool.',
    remedy: 'Release it: `edgectl lease release ADDRESS`, or wait until it expires.',
  },
  'reservation-declined': {
    explanation: 'A client found its reserved address in use.',
    remedy: 'Find who uses it without a lease.',
  },
  'canary-passed': {
    explanation: 'A whole exchange with itself went well, for the first time or again.',
    remedy: 'None needed.',
  },
  'canary-failed': {
    explanation: 'This server did not get an address from itself: it is not ready.',
    remedy: 'The record says at which step and why.',
  },
  'drain-started': {
    explanation: 'New clients are left to the other members; who holds an address is answered.',
    remedy: 'None needed; `edgectl undrain` takes it back.',
  },
  drained: { explanation: 'What was under way has ended.', remedy: 'None needed.' },
  'drain-ended': { explanation: 'New clients are served again.', remedy: 'None needed.' },
  'lease-freed': {
    explanation: 'An operator took an address from its client.',
    remedy: 'None needed.',
  },
  'name-taken': {
    explanation: 'A client asked for a name in dns that a living lease of another one has.',
    remedy: 'None needed: the first one keeps it. A reservation with that `hostname` wins.',
  },
  'name-refused': {
    explanation: 'A client asked for a name that is a reservation’s, or that no client may have.',
    remedy: 'None needed, if it should not have it; else give it a reservation with `hostname`.',
  },
  'names-unwritten': {
    explanation: 'The store did not take names of leases; they wait and are tried again.',
    remedy: 'See the store; leases are not held up by this.',
  },
  'heartbeat-failed': {
    explanation: 'The store did not take the heartbeat; clients are served on.',
    remedy: 'See the store.',
  },
} as const satisfies EventTable;

export type DhcpdEvent = keyof typeof dhcpdEvents;
