// The sections of a site file for whoever sends clients to targets: pools and overrides as they are
// written.
import { z } from 'zod';
import { durationWithin, name, port, written } from '../config/types.ts';
import { typeCode } from '../dns/rdata.ts';
import type { CheckSettings } from '../health/types.ts';
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
  USUAL_PORTS,
  USUAL_RECORD_TYPE,
  USUAL_STATUS,
} from './pool-check.ts';
import type { HealthOverride, Pool } from './pool-objects.ts';
import { dnsName, recordType } from './schema-dns.ts';
import {
  ANSWERS,
  MAX_ANSWERS,
  MAX_TIER,
  MAX_WEIGHT,
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
    z.strictObject({ type: z.literal('tcp'), port, ...timing }),
    z.strictObject({ type: z.literal('icmp'), ...timing }),
    z.strictObject({
      type: z.literal('http'),
      port: port.default(USUAL_PORTS.http),
      ...request,
      ...timing,
    }),
    z.strictObject({
      type: z.literal('https'),
      port: port.default(USUAL_PORTS.https),
      verify: z.boolean().default(false),
      ...request,
      ...timing,
    }),
    z.strictObject({
      type: z.literal('dns'),
      port: port.default(USUAL_PORTS.dns),
      name: dnsName,
      recordType: recordType.optional(),
      ...timing,
    }),
    z.strictObject({ type: z.literal('readyz'), port, ...timing }),
  ])
  .transform(checkOf);

export const pool = z.strictObject({
  name,
  targets: z.array(
    z.strictObject({
      address,
      weight: z.int().min(0).max(MAX_WEIGHT).default(USUAL_WEIGHT),
      tier: z.int().min(0).max(MAX_TIER).default(0),
    }),
  ),
  check: check.optional(),
  answer: z.enum(ANSWERS).default(USUAL_ANSWER),
  answers: z.int().min(1).max(MAX_ANSWERS).default(1),
  minHealthy: z.int().min(0).max(100).default(0),
});

export const override = z.strictObject({
  address,
  pool: name.optional(),
  state: z.enum(OVERRIDE_STATES),
  who: words,
  why: words,
  until: moment.optional(),
});

function checkOf(
  given: { interval: number; timeout: number; rise: number; fall: number } & (
    | { type: 'tcp' | 'readyz'; port: number }
    | { type: 'icmp' }
    | ({ type: 'http' | 'https'; port: number; verify?: boolean } & WrittenRequest)
    | { type: 'dns'; port: number; name: string; recordType?: string | undefined }
  ),
): CheckSettings {
  const { interval, timeout, rise, fall } = given;
  const times = { intervalMs: interval, timeoutMs: timeout, rise, fall };
  switch (given.type) {
    case 'icmp':
      return { ...times, type: given.type };
    case 'tcp':
    case 'readyz':
      return { ...times, type: given.type, port: given.port };
    case 'dns': {
      const asked = given.recordType === undefined ? undefined : typeCode(given.recordType);
      const { type, port: to, name: of } = given;
      return { ...times, type, port: to, name: of, recordType: asked ?? USUAL_RECORD_TYPE };
    }
    default: {
      const { type, port: to, path: of, host, status: codes, expect, verify = false } = given;
      return {
        ...times,
        ...{ type, port: to, path: of, status: codes, verify },
        ...(host === undefined ? {} : { host }),
        ...(expect === undefined ? {} : { expect }),
      };
    }
  }
}

type WrittenRequest = {
  path: string;
  host?: string | undefined;
  status: [number, number];
  expect?: string | undefined;
};

export function poolOf({ check: probed, ...item }: z.output<typeof pool>): Pool {
  const { name: of, targets, answer, answers, minHealthy } = item;
  return {
    name: of,
    targets,
    ...(probed === undefined ? {} : { check: probed }),
    answer,
    answers,
    minHealthyPercent: minHealthy,
  };
}

export function overrideOf(item: z.output<typeof override>): HealthOverride {
  const { address: of, pool: within, state, who, why, until } = item;
  return {
    address: of,
    ...(within === undefined ? {} : { pool: within }),
    ...{ state, who, why },
    ...(until === undefined ? {} : { untilMs: until }),
  };
}
