// How a pool's targets are probed, as it is stored: defaults left out, times in milliseconds. Pure.

import { typeCode, typeName } from '../dns/rdata.ts';
import { type CheckSettings, PORT_CHECKS } from '../health/types.ts';
import { parseRecordType } from './dns-data.ts';
import { parseStoredName } from './dns-name.ts';
import type { ObjectProblem } from './problem.ts';
import type { ValueReader } from './value.ts';
import { unless } from './zone.ts';

const CHECK_TYPES = ['icmp', 'http', 'https', 'dns', ...PORT_CHECKS] as const;
export const TIMING = {
  intervalMs: { usual: 5000, least: 100, most: 3_600_000 },
  timeoutMs: { usual: 2000, least: 10, most: 60_000 },
  rise: { usual: 2, least: 1, most: 100 },
  fall: { usual: 3, least: 1, most: 100 },
} as const;
/** Of a target that has none itself; other checks have none. */
export const USUAL_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443, dns: 53 };
export const USUAL_PATH = '/';
export const USUAL_STATUS = [200, 399] as const;
export const USUAL_RECORD_TYPE = 6; // SOA
export const PATH = /^\/[!-~]*$/;
const MAX_TEXT = 1024;

const KEYS = [
  ...['expect', 'fall', 'host', 'interval', 'name', 'path', 'port', 'recordType', 'rise'],
  ...['status', 'timeout', 'type', 'verify'],
];
const TIMING_KEYS = ['fall', 'interval', 'rise', 'timeout', 'type'];
/** Others have a port. */
const KEYS_OF: Readonly<Record<string, readonly string[]>> = {
  icmp: [],
  http: ['expect', 'host', 'path', 'port', 'status'],
  https: ['expect', 'host', 'path', 'port', 'status', 'verify'],
  dns: ['name', 'port', 'recordType'],
};

/** From a stored value; undefined: there is none, or the reader says what is wrong. */
export function readCheck(reader: ValueReader): CheckSettings | undefined {
  return reader.within('check', KEYS, (inner) => {
    const type = inner.parsed('type', CHECK_TYPES.join(', '), (text) =>
      CHECK_TYPES.find((each) => each === text),
    );
    if (type === undefined) {
      if (inner.reasons.length === 0) inner.refuse('there is no type');
      return undefined;
    }
    for (const key of KEYS) {
      const isItsOwn = TIMING_KEYS.includes(key) || (KEYS_OF[type] ?? ['port']).includes(key);
      if (!isItsOwn && inner.has(key)) inner.refuse(`${key} is nothing of ${type}`);
    }
    return readOfType(inner, type);
  });
}

function readOfType(reader: ValueReader, type: CheckSettings['type']): CheckSettings {
  const bounded = (key: string, { usual, least, most }: (typeof TIMING)[keyof typeof TIMING]) =>
    reader.integer(key, least, most) ?? usual;
  const timing = {
    intervalMs: bounded('interval', TIMING.intervalMs),
    timeoutMs: bounded('timeout', TIMING.timeoutMs),
    rise: bounded('rise', TIMING.rise),
    fall: bounded('fall', TIMING.fall),
  };
  const port = reader.integer('port', 1, 65535) ?? 0;
  switch (type) {
    case 'icmp':
      return { ...timing, type };
    case 'dns':
      return { ...timing, type, port, ...readQuestion(reader) };
    case 'http':
    case 'https':
      return { ...timing, type, port, ...readRequest(reader) };
    default:
      return { ...timing, type, port };
  }
}

function readQuestion(reader: ValueReader) {
  const name = reader.parsed('name', 'a domain name', parseStoredName);
  if (name === undefined && reader.reasons.length === 0) reader.refuse('there is no name');
  const type = reader.parsed('recordType', 'a type of record', parseRecordType);
  return { name: name ?? '', recordType: typeCode(type ?? 'SOA') ?? USUAL_RECORD_TYPE };
}

function readRequest(reader: ValueReader) {
  const path = reader.parsed('path', 'a path such as /healthz', parsePath);
  const host = reader.parsed('host', 'the name of a host, or an address', parseCheckHost);
  const expect = reader.parsed('expect', `a text of 1 to ${MAX_TEXT} characters`, parseExpect);
  const [from, to, ...more] = reader.integers('status', 100, 599) ?? USUAL_STATUS;
  if (from === undefined || to === undefined || from > to || more.length > 0) {
    reader.refuse('status is not the first and the last code that is good');
  }
  const status: [number, number] = [from ?? 0, to ?? 0];
  return {
    path: path ?? USUAL_PATH,
    ...(host === undefined ? {} : { host }),
    status,
    ...(expect === undefined ? {} : { expect }),
    verify: reader.flag('verify') ?? false,
  };
}

export function parsePath(text: string): string | undefined {
  return text.length <= MAX_TEXT && PATH.test(text) ? text : undefined;
}

/** As the Host header and SNI may have it. */
export function parseCheckHost(text: string): string | undefined {
  return /^[a-zA-Z0-9_.:[\]-]{1,255}$/.test(text) ? text : undefined;
}

export function parseExpect(text: string): string | undefined {
  return text.length > 0 && text.length <= MAX_TEXT ? text : undefined;
}

/** Of good codes, the first and the last: `200` or `200-399`. */
export function parseStatus(text: string): [number, number] | undefined {
  const [, first = '', last = first] = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(text) ?? [];
  return first !== '' && first <= last ? [Number(first), Number(last)] : undefined;
}

export function formatStatus([first, last]: readonly [number, number]): string {
  return first === last ? `${first}` : `${first}-${last}`;
}

/** What is wrong with a check in itself. */
export function checkProblems({ intervalMs, timeoutMs }: CheckSettings): ObjectProblem[] {
  if (timeoutMs <= intervalMs) return [];
  const message = `the timeout, ${timeoutMs} ms, is longer than the interval, ${intervalMs} ms`;
  return [{ message, at: ['check', 'timeout'] }];
}

/** In a stored value: sorted by key, without what is usual. */
export function storedCheck(check: CheckSettings) {
  const { type } = check;
  const said: Record<string, unknown> = {
    type,
    interval: unless(TIMING.intervalMs.usual, check.intervalMs),
    timeout: unless(TIMING.timeoutMs.usual, check.timeoutMs),
    rise: unless(TIMING.rise.usual, check.rise),
    fall: unless(TIMING.fall.usual, check.fall),
    ...saidOfType(check),
  };
  const keys = Object.keys(said).sort();
  return Object.fromEntries(keys.map((key) => [key, said[key]]));
}

type SaidOfType = {
  port?: number | undefined;
  path?: string | undefined;
  host?: string | undefined;
  status?: readonly [number, number] | undefined;
  expect?: string | undefined;
  verify?: true | undefined;
  name?: string;
  recordType?: string | undefined;
};

/** What only its type has, in words as they are written, without what is usual. */
export function saidOfType(check: CheckSettings): SaidOfType {
  switch (check.type) {
    case 'icmp':
      return {};
    case 'dns':
      return {
        port: unless(0, check.port),
        name: check.name,
        recordType: check.recordType === USUAL_RECORD_TYPE ? undefined : typeName(check.recordType),
      };
    case 'http':
    case 'https': {
      const [from, to] = check.status;
      const isUsual = from === USUAL_STATUS[0] && to === USUAL_STATUS[1];
      return {
        port: unless(0, check.port),
        path: unless(USUAL_PATH, check.path),
        host: check.host,
        status: isUsual ? undefined : [from, to],
        expect: check.expect,
        verify: check.verify ? true : undefined,
      };
    }
    default:
      return { port: unless(0, check.port) };
  }
}
