// Every event that a console logs, with what it means and what to do. README.md shows the same.
import type { EventTable } from '../shared/log.ts';

export const consoleEvents = {
  'console-listening': {
    explanation: 'The page can be seen at the address in the record.',
    remedy: 'None needed.',
  },
  'console-open': {
    explanation: 'The page is on an address that others reach, and no token is asked for.',
    remedy: 'Give it a tokenFile, or let it listen on loopback.',
  },
  'store-silent': {
    explanation: 'The store does not answer; what was read last is shown, with its age.',
    remedy: 'See the error: is Redis running, reachable, and the password right?',
  },
  'store-answers': { explanation: 'The store answers.', remedy: 'None needed.' },
} as const satisfies EventTable;

export type ConsoleEvent = keyof typeof consoleEvents;
