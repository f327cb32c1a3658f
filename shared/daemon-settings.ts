// The settings that every daemon has: who it is, how it logs, where its admin pages and its socket
// are.
import { z } from 'zod';
import { absolutePath, durationWithin, name, written } from './config/types.ts';
import { logLevels } from './log.ts';
import { formatListen, type Listen, parseListen } from './net/ports.ts';

const listen = written<Listen>(
  'host:port such as 127.0.0.1:9100, or unix:/path',
  parseListen,
  formatListen,
);

/** As the kernel takes it. */
export const linkName = z.string().regex(/^[^\s/:]{1,15}$/, {
  error: ({ input }) => `${JSON.stringify(input)} is not the name of a link`,
});

/** Spread into the service's strict object: `z.strictObject({ ...daemonSettings({…}), … })`. */
export function daemonSettings(of: { service: string; hostname: string; adminPort: number }) {
  return {
    node: name.default(of.hostname),
    log: z.strictObject({ level: z.enum(logLevels).default('info') }).prefault({}),
    admin: z
      .strictObject({
        listen: listen.prefault(`127.0.0.1:${of.adminPort}`),
        tokenFile: absolutePath.optional(),
      })
      .prefault({}),
    control: z
      .strictObject({ socket: absolutePath.default(`/run/edge/${of.service}.sock`) })
      .prefault({}),
    drain: z.strictObject({ timeout: durationWithin('0s', '1h').prefault('30s') }).prefault({}),
  };
}
