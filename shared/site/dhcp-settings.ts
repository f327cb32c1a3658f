// What a subnet, a class and a reservation may each give to a client: options, the boot fields of
// RFC 2131 §2, and lease times.
import { formatIpv4, type Ipv4 } from '../net/ipv4.ts';
import { type LeaseSeconds, readLease, shortLease } from './lease-times.ts';
import { optionProblems, readStoredOptions, type StoredOptions } from './options.ts';
import type { ObjectProblem } from './problem.ts';
import { parseHost, type ValueReader } from './value.ts';

export type DhcpSettings = {
  options: StoredOptions;
  nextServer?: Ipv4;
  serverName?: string;
  bootFile?: string;
  lease?: LeaseSeconds;
};

export const SETTINGS_KEYS = ['bootFile', 'lease', 'nextServer', 'options', 'serverName'] as const;

const MAX_TEXT_BYTES = 255; // as option 66 or 67; what is longer fits nowhere
const HOST = 'the IPv4 address of a host';
const TEXT = 'a text of 1 to 255 printable ASCII characters';

export function parseBootText(text: string): string | undefined {
  return text.length <= MAX_TEXT_BYTES && /^[\x20-\x7e]+$/.test(text) ? text : undefined;
}

/** From a stored value. */
export function readSettings(reader: ValueReader): DhcpSettings {
  const settings: DhcpSettings = { options: readStoredOptions(reader) };
  const nextServer = reader.parsed('nextServer', HOST, parseHost);
  if (nextServer !== undefined) settings.nextServer = nextServer;
  const serverName = reader.parsed('serverName', TEXT, parseBootText);
  if (serverName !== undefined) settings.serverName = serverName;
  const bootFile = reader.parsed('bootFile', TEXT, parseBootText);
  if (bootFile !== undefined) settings.bootFile = bootFile;
  const lease = readLease(reader);
  if (lease !== undefined) settings.lease = lease;
  return settings;
}

/** In a stored value, each at its place in the order of keys. `isOptional`: a lease need not be. */
export function storedSettings(settings: DhcpSettings, isOptional: boolean) {
  const { options, nextServer, serverName, bootFile, lease } = settings;
  return {
    bootFile,
    lease: lease === undefined ? undefined : shortLease(lease, isOptional),
    nextServer: nextServer === undefined ? undefined : formatIpv4(nextServer),
    options: Object.keys(options).length === 0 ? undefined : options,
    serverName,
  };
}

/** What is wrong with them in themselves; lease times are read with their own. */
export function settingsProblems(settings: DhcpSettings): ObjectProblem[] {
  return optionProblems(settings.options);
}

/** Canonical JSON: sorted keys, nothing that is not said. */
export function storedValue(fields: Record<string, unknown>): string {
  const said = Object.entries(fields).filter(([, value]) => value !== undefined);
  return JSON.stringify(Object.fromEntries(said.sort(([a], [b]) => (a < b ? -1 : 1))));
}
