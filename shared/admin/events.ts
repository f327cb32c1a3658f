// What the admin server and the control socket log.

export const adminEvents = {
  'admin-listening': {
    explanation: 'The admin pages can be read at the address in the record.',
    remedy: 'Nothing to do.',
  },
  'admin-refused': {
    explanation: 'Somebody asked for an admin page without a token of admin.tokenFile.',
    remedy: 'Give Prometheus, console and edgectl the token; else find out who it is.',
  },
  'admin-request-failed': {
    explanation: 'An admin page or a control verb met an error that is not the caller’s.',
    remedy: 'Report it with the record, which holds the error.',
  },
  'control-listening': {
    explanation: 'The control socket takes verbs at the path in the record.',
    remedy: 'Nothing to do.',
  },
} as const;

export type AdminEvent = keyof typeof adminEvents;
