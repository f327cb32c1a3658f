// A client's host name, and the option that says who publishes it (RFC 4702): we do, A and PTR,
// where the subnet has a zone; elsewhere nobody does on its behalf. Pure.

import { toHex } from '../../shared/bytes.ts';
import type { Details } from '../leases/types.ts';
import type { Reservation } from '../plan/types.ts';
import { latin, OPTION } from './query.ts';
import type { Query, Scope } from './types.ts';

/** Flags of option 81 (RFC 4702 §2.1). */
const FLAG = { server: 1, override: 2, encoded: 4, noUpdate: 8 } as const;
const RCODE_UNUSED = 255; // §2.2: servers SHOULD send it so
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;
/** Of a key, what a record has room for; the rest of a longer one goes to the details. */
const MAX_RECORD_KEY = 19;
const MAX_RECORD_CHADDR = 8;
const encoder = new TextEncoder();

/** The reservation's, else the one in option 81, else in 12; one label that DNS can take. */
export function hostnameOf(query: Query, reservation: Reservation | undefined): string | undefined {
  if (reservation?.hostname !== undefined) return reservation.hostname;
  const { options } = query.request;
  const fqdn = options.get(OPTION.clientFqdn);
  const plain = options.get(OPTION.hostName);
  return (
    (fqdn === undefined ? undefined : label(fqdnText(fqdn))) ??
    (plain === undefined ? undefined : label(latin(plain)))
  );
}

/** Of a message that had it; undefined when it had not, or was cut short. */
export function fqdnReply(query: Query, scope: Scope): Uint8Array | undefined {
  const asked = query.request.options.get(OPTION.clientFqdn);
  const flags = asked?.[0];
  if (asked === undefined || flags === undefined || asked.length < 3) return undefined;
  const { ddnsZone } = scope.subnet;
  const name = hostnameOf(query, scope.reservation);
  const isOurs = ddnsZone !== undefined && name !== undefined && (flags & FLAG.noUpdate) === 0;
  const wasAskedFor = (flags & FLAG.server) !== 0;
  const mine = isOurs ? FLAG.server : FLAG.noUpdate;
  const isOverridden = (flags & FLAG.noUpdate) === 0 && isOurs !== wasAskedFor;
  const answer = mine | (isOverridden ? FLAG.override : 0) | (flags & FLAG.encoded);
  const isEncoded = (flags & FLAG.encoded) !== 0;
  const text = isOurs ? nameBytes(`${name}.${ddnsZone}`, isEncoded) : asked.subarray(3);
  return Uint8Array.of(answer, RCODE_UNUSED, RCODE_UNUSED, ...text);
}

/** What is worth keeping beside a record; undefined when the record says it all. */
export function detailsOf(query: Query, scope: Scope): Details | undefined {
  const { clientId, relay, request } = query;
  const hostname = hostnameOf(query, scope.reservation);
  const details: Details = {
    ...(clientId === undefined || clientId.length < MAX_RECORD_KEY
      ? {}
      : { clientId: toHex(clientId) }),
    ...(hostname === undefined ? {} : { hostname }),
    ...(relay?.circuitId === undefined ? {} : { circuitId: toHex(relay.circuitId) }),
    ...(relay?.remoteId === undefined ? {} : { remoteId: toHex(relay.remoteId) }),
    ...(request.chaddr.length <= MAX_RECORD_CHADDR ? {} : { chaddr: toHex(request.chaddr) }),
  };
  return Object.keys(details).length === 0 ? undefined : details;
}

/** The client wants nobody to publish its name. */
export function refusesName(query: Query): boolean {
  const flags = query.request.options.get(OPTION.clientFqdn)?.[0] ?? 0;
  return (flags & FLAG.noUpdate) !== 0;
}

function fqdnText(bytes: Uint8Array): string {
  if (((bytes[0] ?? 0) & FLAG.encoded) === 0) return latin(bytes.subarray(3));
  // The first label is enough (RFC 1035 §3.1).
  return latin(bytes.subarray(4, 4 + (bytes[3] ?? 0)));
}

function label(text: string): string | undefined {
  const first = text.replace(/\0+$/, '').split('.', 1)[0] ?? '';
  return LABEL.test(first) ? first.toLowerCase() : undefined;
}

function nameBytes(name: string, isEncoded: boolean): Uint8Array {
  if (!isEncoded) return encoder.encode(name);
  const labels = name.split('.').filter((one) => one !== '');
  return Uint8Array.of(
    ...labels.flatMap((one) => [Math.min(one.length, 63), ...encoder.encode(one.slice(0, 63))]),
    0,
  );
}
