// The sections of a site file for whoever sends clients to targets: pools and overrides as they are
// written.
import { z } from 'zod';
import { durationWithin, name, port, written } from '../config/types.ts';
import { typeCode } from '../dns/rdata.ts';
import { type CheckSettings, PORT_CHECKS } from '../health/types.ts';
import { formatDuration } from '../net/units.ts';
import { formatMoment, parseMoment } from './moment.ts';
import { OVERRIDE_STATES, parseWords } from './override.ts';
import { parseAddress } from './peer.ts';
import {
  formatStatus,
  parseCheckHost,
  parseExpect,
  parsePath,
  parseStatus,
  TIMING,
  USUAL_PATH,
  USUAL_RECORD_TYPE,
  USUAL_STATUS,
} from './pool-check.ts';
import type { HealthOverride, Pool, PoolTarget } from './pool-objects.ts';
import { dnsName, recordType } from './schema-dns.ts';
import { type PemOf, proxy, proxyOf } from './schema-proxy.ts';
import {
  ANSWERS,
  MAX_ANSWERS,
  MAX_TIER,
  MAX_WEIGHT,
  parseTarget,
  USUAL_ANSWER,
  USUAL_WEIGHT,
} from './target-pool.ts';

const same = (text: string) => text;
const address = written('an IPv4 or IPv6 address', parseAddress, same);
const path = written('a path such as /healthz', parsePath, same);
const checkHost = written('the name of a host, or an address', parseCheckHost, same);
const expected = written('a text of 1 to 1024 characters', parseExpect, same);
const words = written('a text of 1 to 200 characters on one line', parseWords, same);
const moment = written(
  'a time with its zone such as 2026-12-01T00:00:00Z',
  parseMoment,
  formatMoment,
);

const time = ({ usual, least, most }: { usual: number; least: number; most: number }) =>
  durationWithin(formatDuration(least), formatDuration(most)).prefault(formatDuration(usual));
const count = ({ usual, least, most }: { usual: number; least: number; most: number }) =>
  z.int().min(least).max(most).default(usual);
const timing = {
  interval: time(TIMING.intervalMs),
  timeout: time(TIMING.timeoutMs),
  rise: count(TIMING.rise),
  fall: count(TIMING.fall),
};

const range = written('a code such as 200, or codes such as 200-399', parseStatus, formatStatus);
/** YAML takes one code for a number. */
const status = z.preprocess((given) => (typeof given === 'number' ? `${given}` : given), range);
const request = {
  path: path.default(USUAL_PATH),
  host: checkHost.optional(),
  status: status.default([...USUAL_STATUS]),
  expect: expected.optional(),
};

const check = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal(PORT_CHECKS), port: port.optional(), ...timing }),
    z.strictObject({ type: z.literal('icmp'), ...timing }),
    z.strictObject({
      type: z.literal('http'),
      port: port.optional(),
      ...request,
      ...timing,
    }),
    z.strictObject({
      type: z.literal('https'),
      port: port.optional(),
      verify: z.boolean().default(false),
      ...request,
      ...timing,
    }),
    z.strictObject({
      type: z.literal('dns'),
      port: port.optional(),
      name: dnsName,
      recordType: recordType.optional(),
      ...timing,
    }),
  ])
  .transform(checkOf);

/** `10.0.0.5:8080` is one, too. */
const target = z.preprocess(
  (given, context) => {
    if (typeof given !== 'string') return given;
    const found = parseTarget(given);
    if (found !== undefined) return found;
    const message = `${JSON.stringify(given)} is not an address such as 10.0.0.5 or 10.0.0.5:8080`;
    context.issues.push({ code: 'custom', message, input: given });
    return z.NEVER;
  },
  z.strictObject({
    address,
    port: port.optional(),
    weight: z.int().min(0).max(MAX_WEIGHT).default(USUAL_WEIGHT),
    tier: z.int().min(0).max(MAX_TIER).default(0),
  }),
);

export const pool = z.strictObject({
  name,
  targets: z.array(target),
  check: check.optional(),
  answer: z.enum(ANSWERS).default(USUAL_ANSWER),
  answers: z.int().min(1).max(MAX_ANSWERS).default(1),
  minHealthy: z.int().min(0).max(100).default(0),
  proxy: proxy.optional(),
});

export const override = z.strictObject({
  address,
  port: port.optional(),
  pool: name.optional(),
  state: z.enum(OVERRIDE_STATES),
  who: words,
  why: words,
  until: moment.optional(),
});

function checkOf(
  given: { interval: number; timeout: number; rise: number; fall: number } & (
    | { type: (typeof PORT_CHECKS)[number]; port?: number | undefined }
    | { type: 'icmp' }
    | ({ type: 'http' | 'https'; port?: number | undefined; verify?: boolean } & WrittenRequest)
    | { type: 'dns'; port?: number | undefined; name: string; recordType?: string | undefined }
  ),
): CheckSettings {
  const { interval, timeout, rise, fall } = given;
  const times = { intervalMs: interval, timeoutMs: timeout, rise, fall };
  switch (given.type) {
    case 'icmp':
      return { ...times, type: given.type };
    case 'dns': {
      const asked = given.recordType === undefined ? undefined : typeCode(given.recordType);
      const { type, port: to = 0, name: of } = given;
      return { ...times, type, port: to, name: of, recordType: asked ?? USUAL_RECORD_TYPE };
    }
    case 'http':
    case 'https': {
      const { type, port: to = 0, path: of, host, status: codes, expect, verify = false } = given;
      return {
        ...times,
        ...{ type, port: to, path: of, status: codes, verify },
        ...(host === undefined ? {} : { host }),
        ...(expect === undefined ? {} : { expect }),
      };
    }
    default:
      return { ...times, type: given.type, port: given.port ?? 0 };
  }
}

type WrittenRequest = {
  path: string;
  host?: string | undefined;
  status: [number, number];
  expect?: string | undefined;
};

export function poolOf(
  { check: probed, proxy: proxied, ...item }: z.output<typeof pool>,
  pemOf: PemOf,
): Pool {
  const { name: of, targets, answer, answers, minHealthy } = item;
  const used = proxied === undefined ? undefined : proxyOf(proxied, pemOf);
  return {
    name: of,
    targets: targets.map(targetOf),
    ...(probed === undefined ? {} : { check: probed }),
    answer,
    answers,
    minHealthyPercent: minHealthy,
    ...(used === undefined ? {} : { proxy: used }),
  };
}

function targetOf({ port: to, ...rest }: z.output<typeof target>): PoolTarget {
  return { ...rest, ...(to === undefined ? {} : { port: to }) };
}

export function overrideOf(item: z.output<typeof override>): HealthOverride {
  const { address: of, port: to, pool: within, state, who, why, until } = item;
  return {
    address: of,
    ...(to === undefined ? {} : { port: to }),
    ...(within === undefined ? {} : { pool: within }),
    ...{ state, who, why },
    ...(until === undefined ? {} : { untilMs: until }),
  };
}
