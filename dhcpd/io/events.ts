// The events of links and sockets; dhcpd/events.ts has them in its table.

import type { EventTable } from '../../shared/log.ts';

export const ioEvents = {
  'link-opened': {
    explanation: 'Clients on this link are heard and answered.',
    remedy: 'None needed.',
  },
  'link-missing': {
    explanation: 'A link of the configuration is not there, down, or cannot be captured.',
    remedy: 'Create it, set it up, or take it out of `links`. It is opened as soon as it is there.',
  },
  'link-send-failed': {
    explanation: 'A link did not take a frame; the client will ask again.',
    remedy: 'None needed while the link goes down.',
  },
  'interfaces-unread': {
    explanation: 'The interfaces could not be listed; links stay as they are.',
    remedy: 'See the error: is iproute2 installed?',
  },
  'rogue-server': {
    explanation: 'A DHCP server that is none of ours answers clients on a served link.',
    remedy: 'Find it by the MAC in the record; if it is meant, add its identifier to `siblingIds`.',
  },
  'receive-failed': {
    explanation: 'The UDP sockets cannot be read any more; the daemon ends and is started again.',
    remedy: 'See the error.',
  },
} as const satisfies EventTable;

export type IoEvent = keyof typeof ioEvents;
