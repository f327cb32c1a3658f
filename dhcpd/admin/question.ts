// Reading what comes by the control socket: every field of a question is checked, and what is wrong
// is told.

import { OperationalError } from '../../shared/errors.ts';
import { type Ipv4, parseIpv4 } from '../../shared/net/ipv4.ts';
import { macToBytes, parseMac } from '../../shared/net/mac.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** By rights edgectl asks only what is well-formed; `remedy`: of what only the daemon can know. */
export function badQuestion(
  message: string,
  remedy = 'use an edgectl of the same version',
): OperationalError {
  return new OperationalError('EDGE_DHCPD_QUESTION', message, { remedy });
}

export function fieldsOf(body: unknown): Fields {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return { ...body };
  throw badQuestion('the question is no object');
}

export function fieldsOfQuery(query: URLSearchParams): Fields {
  return Object.fromEntries(query);
}

export function text(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || typeof value === 'string') return value;
  throw badQuestion(`${name} is no text`);
}

export function address(fields: Fields, name: string): Ipv4 | undefined {
  const given = text(fields, name);
  if (given === undefined) return undefined;
  const parsed = parseIpv4(given);
  if (parsed === undefined) throw badQuestion(`${name}: ${JSON.stringify(given)} is no address`);
  return parsed;
}

export function macBytes(fields: Fields, name: string): Uint8Array | undefined {
  const given = text(fields, name);
  if (given === undefined) return undefined;
  const parsed = parseMac(given);
  if (parsed === undefined) throw badQuestion(`${name}: ${JSON.stringify(given)} is no MAC`);
  return macToBytes(parsed);
}

export function hexBytes(fields: Fields, name: string): Uint8Array | undefined {
  const given = text(fields, name);
  if (given === undefined) return undefined;
  if (!/^([0-9a-f]{2}){1,255}$/i.test(given)) {
    throw badQuestion(`${name}: ${JSON.stringify(given)} is not hexadecimal`);
  }
  return new Uint8Array(Buffer.from(given, 'hex'));
}

/** A count of at least 1; `most` where there is none. */
export function limit(fields: Fields, most: number): number {
  const given = text(fields, 'limit');
  if (given === undefined) return most;
  const count = Number(given);
  if (!Number.isInteger(count) || count < 1) throw badQuestion(`limit: ${given} is no count`);
  return Math.min(count, most);
}
