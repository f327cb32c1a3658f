// What comes with a question on the control socket, checked. It comes from outside.

import { parseName } from '../../shared/dns/names.ts';
import { typeCode } from '../../shared/dns/rdata.ts';
import type { AddressBytes, Name } from '../../shared/dns/types.ts';
import { OperationalError } from '../../shared/errors.ts';
import { parsePrefix } from '../../shared/net/prefix.ts';
import { parseAddressBytes, prefixBytes } from '../answer/address-bytes.ts';

export type Asked = {
  name: Name;
  type: number;
  client: AddressBytes;
  ecs?: { address: AddressBytes; bits: number };
  dnssecOk: boolean;
};

export function badQuestion(message: string, remedy: string): OperationalError {
  return new OperationalError('EDGE_DNS_QUESTION', message, { remedy });
}

/** Of POST /explain. */
export function readAsked(body: unknown): Asked {
  const { name, type, from, ecs, dnssec } = Object(body) as Record<string, unknown>;
  const code = typeof type === 'string' ? typeCode(type) : undefined;
  if (code === undefined) throw badQuestion(`${type} is no type`, 'ask for A, AAAA, MX, TYPE65, …');
  const client = readAddress(from);
  const prefix = ecs === undefined ? undefined : readEcs(ecs);
  return {
    name: readName(name),
    type: code,
    client,
    ...(prefix === undefined ? {} : { ecs: prefix }),
    dnssecOk: dnssec === true,
  };
}

export function readName(text: unknown): Name {
  const name = typeof text === 'string' ? parseName(text) : undefined;
  if (name === undefined) throw badQuestion(`${text} is no name`, 'write it as in a zone file');
  return name;
}

export function readAddress(text: unknown): AddressBytes {
  const bytes = typeof text === 'string' ? parseAddressBytes(text) : undefined;
  if (bytes === undefined)
    throw badQuestion(`${text} is no address`, 'write one such as 192.0.2.1');
  return bytes;
}

/** A prefix, or an address, which counts as its /24 or /56 as resolvers send it. */
function readEcs(text: unknown): { address: AddressBytes; bits: number } {
  const prefix = typeof text === 'string' ? parsePrefix(text) : undefined;
  if (prefix !== undefined) return { address: prefixBytes(prefix), bits: prefix.bits };
  const address = typeof text === 'string' ? parseAddressBytes(text) : undefined;
  if (address === undefined) {
    throw badQuestion(`${text} is no prefix`, 'write one such as 192.0.2.0/24');
  }
  return { address, bits: address.length === 4 ? 24 : 56 };
}
