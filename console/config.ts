// The configuration of a console: schema, defaults, and what contradicts itself.
import { z } from 'zod';
import { loadConfig, printConfig, type Report } from '../shared/config/load.ts';
import { absolutePath, durationWithin, endpoint, name } from '../shared/config/types.ts';
import { daemonSettings } from '../shared/daemon-settings.ts';
import { parseEndpoint } from '../shared/net/ports.ts';
import { SERVICES } from '../shared/site/place.ts';
import { storeSetting } from '../shared/store/settings.ts';
import { SERVICE } from './name.ts';

const ADMIN_PORT = 9105;
const MEMBERS_MAX = 500;

/** Whose admin pages the store does not tell. */
const member = z.strictObject({
  service: z.enum(SERVICES),
  node: name,
  address: z
    .string()
    .refine(
      (text) => parseEndpoint(text) !== undefined,
      'must be host:port such as 127.0.0.1:9101',
    ),
});

function consoleSchema(hostname: string) {
  return z.strictObject({
    ...daemonSettings({ service: SERVICE, hostname, adminPort: ADMIN_PORT }),
    store: storeSetting.default('redis://127.0.0.1:6379'),
    stateDirectory: absolutePath.default(`/var/lib/edge/${SERVICE}`),
    /** Where visitors come. */
    listen: endpoint.prefault('127.0.0.1:9180'),
    /** How often everything is read. */
    interval: durationWithin('1s', '1m').prefault('5s'),
    /** What the members' admin pages want to see, when they want a token. */
    adminTokenFile: absolutePath.optional(),
    /** What visitors bring: as a password, or as a bearer token. */
    tokenFile: absolutePath.optional(),
    members: z.array(member).max(MEMBERS_MAX).default([]),
  });
}

export type ConsoleConfig = z.output<ReturnType<typeof consoleSchema>>;

export function parseConsoleConfig(file: string, hostname: string, text?: string): ConsoleConfig {
  const given = text === undefined ? {} : { text };
  return loadConfig({ file, schema: consoleSchema(hostname), check: checkConsole, ...given });
}

export function printConsoleConfig(config: ConsoleConfig): string {
  return printConfig(consoleSchema(config.node), config);
}

/** What a running console takes over: everything else needs a restart. */
const RELOADABLE = ['log', 'drain', 'members'] as const satisfies (keyof ConsoleConfig)[];

export function needsRestart(config: ConsoleConfig): (keyof ConsoleConfig)[] {
  const keys = Object.keys(config) as (keyof ConsoleConfig)[]; // a strict object's own
  return keys.filter((each) => !RELOADABLE.some((one) => one === each));
}

function checkConsole(config: ConsoleConfig, report: Report): void {
  const { store, members } = config;
  if ((typeof store === 'string' ? store : store.url) === 'embedded') {
    report(['store'], 'an embedded store would be empty: name the one of the services');
  }
  const seen = new Set<string>();
  for (const [index, { service, node }] of members.entries()) {
    const who = `${service}/${node}`;
    if (seen.has(who)) report(['members', index, 'node'], `${who} is listed twice`);
    seen.add(who);
  }
}
