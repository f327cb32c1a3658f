// Every event that a natter logs, with what it means and what to do. README.md shows the same
// table.

import type { EventTable } from '../shared/log.ts';

export const natterEvents = {
  'link-attached': {
    explanation: 'The programs run on this link.',
    remedy: 'None needed.',
  },
  'link-missing': {
    explanation: 'A link of the configuration is not there; the natter is not ready without it.',
    remedy: 'Create the link, or take it out of `links`. It is attached as soon as it appears.',
  },
  'link-failed': {
    explanation: 'The links could not be looked at, or a program not be attached.',
    remedy: 'See the error; it is tried again.',
  },
  'link-filter-replaced': {
    explanation: 'The program on a link was not the one that this daemon attached; it is back.',
    remedy: 'Find out who removes it: `tc filter show dev LINK ingress`, at tcx `bpftool net`.',
  },
  'sysctl-set': {
    explanation: 'A kernel setting stood in the way of forwarding and was changed.',
    remedy: 'Write it into /etc/sysctl.d, so that it is there before the daemon.',
  },
  'maps-replaced': {
    explanation:
      'A pinned map had another shape than wanted: the old maps forward until new ones are filled.',
    remedy: 'None needed.',
  },
  'maps-afresh': {
    explanation:
      'Maps of another layout could not be taken over: slots, meters or buckets start afresh.',
    remedy: 'None needed; meters count from 0.',
  },
  'maps-let-go': {
    explanation: 'The programs were replaced in place and run over the new maps.',
    remedy: 'None needed.',
  },
  'table-applied': {
    explanation: 'The whole table was loaded and the kernel made equal to it.',
    remedy: 'None needed.',
  },
  'table-refused': {
    explanation: 'What the store wants contradicts itself; the last good table goes on.',
    remedy: 'Correct the objects that the reasons name: `edgectl diff`, `edgectl get`.',
  },
  'kernel-refused': {
    explanation: 'The kernel did not take a change; the table before it goes on.',
    remedy: 'See the error; for a full map raise `capacity`.',
  },
  'audit-repaired': {
    explanation: 'Entries of the kernel were not what the table says, and were put right.',
    remedy: 'Find out who else writes to the pinned maps: `bpftool map`.',
  },
  'audit-failed': {
    explanation: 'The comparison of the kernel with the table could not be finished.',
    remedy: 'See the error; it is tried again.',
  },
  'self-test-failed': {
    explanation: 'The live program did not translate a test packet as the table says.',
    remedy: 'The natter withdraws its routes by itself. Restart it; report what the log shows.',
  },
  'self-test-passed': {
    explanation: 'The live program translates again, or for the first time.',
    remedy: 'None needed.',
  },
  announced: {
    explanation:
      'The routes of the EIP prefixes are in the kernel, for a routing daemon to export.',
    remedy: 'None needed.',
  },
  withdrawn: {
    explanation: 'The routes of the EIP prefixes were taken back.',
    remedy: 'The reason is in the record.',
  },
  'announce-failed': {
    explanation: 'Routes or proxied neighbours could not be changed; it is tried again.',
    remedy: 'See the error.',
  },
  'drain-started': {
    explanation: 'An operator wants this node to carry no traffic.',
    remedy: 'None needed; `edgectl undrain` takes it back.',
  },
  drained: {
    explanation: 'Traffic has gone, or the time for it is over.',
    remedy: 'None needed.',
  },
  'drain-ended': {
    explanation: 'This node carries traffic again.',
    remedy: 'None needed.',
  },
  'heartbeat-failed': {
    explanation: 'The store did not take the heartbeat; the natter forwards on.',
    remedy: 'See the store.',
  },
  'nova-applied': {
    explanation: 'What the OpenStack database says was stored as site objects.',
    remedy: 'None needed.',
  },
  'nova-refused': {
    explanation: 'More than half of the floating IPs would go, or a row is no mapping.',
    remedy: 'Check the database. If it really shrank: edgectl confirm --local',
  },
  'nova-failed': {
    explanation: 'The OpenStack database could not be read; what it said last stays.',
    remedy: 'See the error; it is asked again.',
  },
} as const satisfies EventTable;

export type NatterEvent = keyof typeof natterEvents;
