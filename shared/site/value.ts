// Reading the JSON of a stored value: an object with known keys and values within their limits. A
// reader collects what is wrong, so that one refusal names it all; it is written for a million
// values.
import type { Ipv4 } from '../net/ipv4.ts';
import { isUnicastIpv4, parseIpv4 } from '../net/ipv4.ts';

export const MIN_RATE_BITS_PER_SECOND = 1000;
export const MAX_RATE_BITS_PER_SECOND = 1e12;
export const MIN_BURST_BYTES = 2048;
export const MAX_BURST_BYTES = 2 ** 30;

/**
 * A value may say with which layout of values it was written, as `v`; without it, with the first.
 * Writers name a later one exactly when what older readers do not know in it can be ignored by
 * them; what cannot is written without, and they refuse it.
 */
const LAYOUT = 1;

const namePattern = /^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,62}[a-zA-Z0-9])?$/;

/** Names of groups and nodes, as in every configuration: see `name` in shared/config/types.ts. */
export function isName(text: string): boolean {
  return namePattern.test(text);
}

/** An address that a host can have: what EIPs and private addresses must be. */
export function parseHost(text: string): Ipv4 | undefined {
  const address = parseIpv4(text);
  return address !== undefined && isUnicastIpv4(address) ? address : undefined;
}

function layoutOf(fields: Record<string, unknown>): number {
  return Number.isSafeInteger(fields.v) ? Number(fields.v) : LAYOUT;
}

/** Whether the value says that it holds what this version does not know, and may ignore. */
export function isNewer(json: string): boolean {
  return json.includes('"v"') && layoutOf(parseFields(json) ?? {}) > LAYOUT;
}

function parseFields(json: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(json);
    return isFields(parsed) ? parsed : undefined;
  } catch {
    return undefined; // every caller says so in its own words
  }
}

/** A JSON object has string keys, values unknown. */
function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export class ValueReader {
  readonly reasons: string[] = [];
  readonly #what: string;
  readonly #fields: Record<string, unknown>;

  /**
   * `what` names the object in the reasons, such as `eip 198.51.100.7`. `value` is its JSON, or a
   * part of it that was read.
   */
  constructor(what: string, value: string | Record<string, unknown>, keys: readonly string[]) {
    this.#what = what;
    this.#fields = typeof value === 'string' ? this.#object(value) : value;
    if (layoutOf(this.#fields) > LAYOUT) return; // a newer writer says that the rest may be ignored
    for (const key in this.#fields) {
      if (!keys.includes(key)) this.refuse(`unknown key ${JSON.stringify(key)}`);
    }
  }

  /** As they are written. */
  get fields(): Readonly<Record<string, unknown>> {
    return this.#fields;
  }

  refuse(reason: string): void {
    this.reasons.push(`${this.#what}: ${reason}`);
  }

  has(key: string): boolean {
    return this.#fields[key] !== undefined;
  }

  host(key: string): Ipv4 | undefined {
    const value = this.#fields[key];
    if (value === undefined) return undefined;
    const address = typeof value === 'string' ? parseHost(value) : undefined;
    if (address === undefined) this.#wrong(key, 'the IPv4 address of a host');
    return address;
  }

  text(key: string): string | undefined {
    const value = this.#fields[key];
    if (value === undefined || typeof value === 'string') return value;
    this.#wrong(key, 'a text');
    return undefined;
  }

  name(key: string): string | undefined {
    const value = this.#fields[key];
    if (value === undefined) return undefined;
    if (typeof value === 'string' && isName(value)) return value;
    this.#wrong(key, 'a name');
    return undefined;
  }

  /** Bits per second. */
  rate(key: string): number | undefined {
    return this.integer(key, MIN_RATE_BITS_PER_SECOND, MAX_RATE_BITS_PER_SECOND);
  }

  /** Bytes. */
  burst(key: string): number | undefined {
    return this.integer(key, MIN_BURST_BYTES, MAX_BURST_BYTES);
  }

  flag(key: string): boolean | undefined {
    const value = this.#fields[key];
    if (value === undefined || typeof value === 'boolean') return value;
    this.#wrong(key, 'true or false');
    return undefined;
  }

  integer(key: string, least: number, most: number): number | undefined {
    const value = this.#fields[key];
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) {
      return value;
    }
    this.#wrong(key, `a whole number from ${least} to ${most}`);
    return undefined;
  }

  /** A text that `parse` takes; `wanted` says what that is. */
  parsed<T>(key: string, wanted: string, parse: (text: string) => T | undefined): T | undefined {
    const value = this.#fields[key];
    if (value === undefined) return undefined;
    const parsed = typeof value === 'string' ? parse(value) : undefined;
    if (parsed === undefined) this.#wrong(key, wanted);
    return parsed;
  }

  /** A list of such texts; absent is empty. */
  list<T>(key: string, wanted: string, parse: (text: string) => T | undefined): T[] {
    const value = this.#fields[key];
    if (value === undefined) return [];
    const list = Array.isArray(value) ? value : [undefined];
    const parsed = list.map((each) => (typeof each === 'string' ? parse(each) : undefined));
    const read = parsed.filter((each) => each !== undefined);
    if (read.length < list.length) this.#wrong(key, `a list of ${wanted}`);
    return read;
  }

  integers(key: string, least: number, most: number): number[] | undefined {
    const value = this.#fields[key];
    if (value === undefined) return undefined;
    const isOne = (each: unknown) => Number.isInteger(each) && isWithin(Number(each), least, most);
    if (Array.isArray(value) && value.every(isOne)) return value;
    this.#wrong(key, `a list of whole numbers from ${least} to ${most}`);
    return undefined;
  }

  /** Each of a list of maps within the value, by `read`; absent is empty. */
  each<T>(key: string, keys: readonly string[], read: (inner: ValueReader) => T): T[] {
    const value = this.#fields[key];
    if (value === undefined) return [];
    if (!Array.isArray(value) || !value.every(isFields)) {
      this.#wrong(key, 'a list of maps');
      return [];
    }
    return value.map((fields, index) => {
      const inner = new ValueReader(`${this.#what}: ${key} ${index + 1}`, fields, keys);
      const found = read(inner);
      this.reasons.push(...inner.reasons);
      return found;
    });
  }

  isMap(key: string): boolean {
    return isFields(this.#fields[key]);
  }

  /** A map within the value. */
  map(key: string): Record<string, unknown> | undefined {
    const value = this.#fields[key];
    if (value === undefined) return undefined;
    if (isFields(value)) return value;
    this.#wrong(key, 'a map');
    return undefined;
  }

  /** Reads a map within the value; its reasons are told with this one's. */
  within<T>(key: string, keys: readonly string[], read: (inner: ValueReader) => T): T | undefined {
    const fields = this.map(key);
    if (fields === undefined) return undefined;
    const inner = new ValueReader(`${this.#what}: ${key}`, fields, keys);
    const value = read(inner);
    this.reasons.push(...inner.reasons);
    return inner.reasons.length === 0 ? value : undefined;
  }

  #wrong(key: string, wanted: string): void {
    const shown = JSON.stringify(this.#fields[key])?.slice(0, 60);
    this.refuse(`${key} is ${shown}, not ${wanted}`);
  }

  #object(json: string): Record<string, unknown> {
    const fields = parseFields(json);
    if (fields === undefined) this.refuse('the stored value is not a JSON object');
    return fields ?? {};
  }
}

function isWithin(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}
