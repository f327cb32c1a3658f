// From the daemon's settings to what answering, transfers and listeners take: secrets are read from
// their files here, and nothing else of them is kept.
import { readFileSync } from 'node:fs';
import { ConfigError, describeError } from '../shared/errors.ts';
import { formatPrefix } from '../shared/net/prefix.ts';
import type { Random } from '../shared/random.ts';
import type { AnswerSettings } from './answer/types.ts';
import type { DnsConfig } from './config.ts';
import type { TlsFiles } from './transports/listening.ts';

const COOKIE_SECRET_BYTES = 16;

/** Throws a ConfigError that names the file. */
export function answerSettings(config: DnsConfig, randomSecret: Uint8Array): AnswerSettings {
  const { node, udpBytes, ecs, cookies, rateLimit, chaos } = config;
  const { enabled, ...queryLog } = config.queryLog;
  return {
    nodeId: node,
    nsid: new TextEncoder().encode(node),
    udpBytes,
    ecs,
    cookies: {
      enabled: cookies.enabled,
      required: cookies.required,
      secrets:
        cookies.secretFile === undefined ? [randomSecret] : readCookieSecrets(cookies.secretFile),
    },
    rateLimit: { ...rateLimit, exempt: rateLimit.exempt.map(formatPrefix) },
    chaos: { 'id.server': node, ...chaos },
    ...(enabled ? { queryLog } : {}),
  };
}

/** NSID and version.server say which versions of the site are served, unless the settings do. */
export function saying(
  settings: AnswerSettings,
  { node, nsid, chaos }: DnsConfig,
  applied: { dns: number; pools: number },
): AnswerSettings {
  const served = `dns/${applied.dns} pools/${applied.pools}`;
  return {
    ...settings,
    nsid: new TextEncoder().encode(nsid ?? `${node} ${served}`),
    chaos: { 'version.server': served, ...settings.chaos, ...chaos },
  };
}

/** Of one process, where no file has one: other instances do not know it. */
export function drawCookieSecret(random: Random): Uint8Array {
  return Uint8Array.from({ length: COOKIE_SECRET_BYTES }, () => random.integer(256));
}

export function readCookieSecrets(file: string): Uint8Array[] {
  const lines = read(file).toString('latin1').split('\n');
  const secrets: Uint8Array[] = [];
  for (const [index, line] of lines.entries()) {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    if (!/^[0-9a-fA-F]{32}$/.test(text)) {
      throw problem(file, 'is not a secret of 32 hex digits', index + 1);
    }
    secrets.push(Uint8Array.from(Buffer.from(text, 'hex')));
  }
  if (secrets.length === 0) throw problem(file, 'has no secret: 32 hex digits a line', 1);
  return secrets;
}

/** Base64, as tsig-keygen and keymgr write it, alone in its file. */
export function readTsigSecret(file: string): Uint8Array {
  const text = read(file).toString('latin1').trim();
  const bytes = Buffer.from(text, 'base64');
  if (
    bytes.length === 0 ||
    bytes.toString('base64').replace(/=+$/, '') !== text.replace(/=+$/, '')
  ) {
    throw problem(file, 'is not a secret in base64', 1);
  }
  return bytes;
}

export function readTls({ certificate, key }: DnsConfig['tls']): TlsFiles {
  if (certificate === undefined || key === undefined) throw new Error('no certificate is named');
  return { certificate: read(certificate), key: read(key) };
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw problem(file, `cannot be read: ${describeError(error)}`, 1);
  }
}

/** Never with what the file holds. */
function problem(file: string, message: string, line: number): ConfigError {
  return new ConfigError([{ file, line, column: 1, message: `${file} ${message}` }]);
}
