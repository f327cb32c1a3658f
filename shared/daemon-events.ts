// The events that every daemon logs; a service's README lists them besides its own.
import { adminEvents } from './admin/events.ts';
import { lifecycleEvents } from './lifecycle.ts';
import { notifyEvents } from './notify.ts';

export const daemonEvents = { ...lifecycleEvents, ...notifyEvents, ...adminEvents } as const;

export type DaemonEvent = keyof typeof daemonEvents;
