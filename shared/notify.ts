// What systemd is told: sd_notify(3) datagrams to $NOTIFY_SOCKET. Without the variable all of it is
// silent.
import { sendUnixDatagram } from './bpf/libc.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

export const notifyEvents = {
  'notify-failed': {
    explanation: 'A state could not be told to the service manager.',
    remedy: 'Look at NOTIFY_SOCKET and at the unit’s Type and NotifyAccess.',
  },
} as const;

export interface Notify {
  ready(status: string): void;
  status(text: string): void;
  stopping(): void;
  /** Followed by ready(), also when the reload was refused. */
  reloading(): void;
  /** Feeds the watchdog, where there is one, until the signal aborts. */
  keepWatchdog(signal: AbortSignal): void;
}

export type NotifyOptions = {
  env: Readonly<Record<string, string | undefined>>;
  pid: number;
  /** CLOCK_MONOTONIC, which Type=notify-reload compares with. */
  monotonicMicroseconds: () => bigint;
  clock: Clock;
  log: Log<keyof typeof notifyEvents>;
  send?: (path: string, bytes: Uint8Array) => void;
};

export function createNotify(options: NotifyOptions): Notify {
  const { env, clock, log, monotonicMicroseconds, send = sendUnixDatagram } = options;
  const path = env.NOTIFY_SOCKET;
  const tell = (...lines: string[]) => {
    if (path === undefined || path === '') return;
    try {
      send(path, new TextEncoder().encode(`${lines.join('\n')}\n`));
    } catch (error) {
      log.warn('notify-failed', `cannot tell ${lines[0]} to the service manager`, { path, error });
    }
  };
  const statusLine = (text: string) => `STATUS=${text.replaceAll(/\s+/g, ' ')}`;
  return {
    ready: (status) => tell('READY=1', statusLine(status)),
    status: (text) => tell(statusLine(text)),
    stopping: () => tell('STOPPING=1'),
    reloading: () => tell('RELOADING=1', `MONOTONIC_USEC=${monotonicMicroseconds()}`),
    keepWatchdog(signal) {
      const intervalMs = watchdogMs(env, options.pid);
      if (intervalMs === undefined) return;
      const feed = () => {
        tell('WATCHDOG=1');
        clock.after(intervalMs / 2, feed, signal);
      };
      feed();
    },
  };
}

/** $WATCHDOG_USEC, unless it is meant for another process. */
function watchdogMs(env: NotifyOptions['env'], pid: number): number | undefined {
  const microseconds = Number(env.WATCHDOG_USEC);
  const meant = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === pid;
  return meant && microseconds > 0 ? microseconds / 1000 : undefined;
}
