// An address that belongs to one client. Id: the address. The client is known by its MAC address,
// by its client identifier (option 61) or by the circuit that its relay names (option 82.1).
import { formatIpv4, type Ipv4 } from '../net/ipv4.ts';
import { formatMac, type Mac, parseMac } from '../net/mac.ts';
import type { ObjectRecord } from '../store/types.ts';
import { type Hex, isHex } from './bytes.ts';
import {
  type DhcpSettings,
  readSettings,
  SETTINGS_KEYS,
  settingsProblems,
  storedSettings,
  storedValue,
} from './dhcp-settings.ts';
import type { ObjectProblem } from './problem.ts';
import { type Refusal, refusal } from './refusal.ts';
import { parseHostName } from './subnet.ts';
import { parseHost, ValueReader } from './value.ts';

export type Identity =
  | { by: 'mac'; mac: Mac }
  | { by: 'clientId'; hex: Hex }
  | { by: 'circuitId'; hex: Hex };

export type Reservation = DhcpSettings & { address: Ipv4; identity: Identity; hostname?: string };

export const ONE_IDENTITY = 'needs exactly one of mac, clientId and circuitId';
const KEYS = [...SETTINGS_KEYS, 'circuitId', 'clientId', 'hostname', 'mac'];
const MAX_ID_BYTES = 255;

/** From a stored object. */
export function parseReservation(id: string, value: string): Reservation | Refusal {
  const reader = new ValueReader(`reservation ${id}`, value, KEYS);
  const address = parseHost(id);
  if (address === undefined) reader.refuse('the id is not the IPv4 address of a host');
  const identity = readIdentity(reader);
  if (address === undefined || identity === undefined) return refusal(...reader.reasons);
  const reservation: Reservation = { ...readSettings(reader), address, identity };
  const hostname = reader.parsed('hostname', 'the name of a host', parseHostName);
  if (hostname !== undefined) reservation.hostname = hostname;
  for (const { message } of reservationProblems(reservation)) reader.refuse(message);
  return reader.reasons.length === 0 ? reservation : refusal(...reader.reasons);
}

function readIdentity(reader: ValueReader): Identity | undefined {
  const mac = reader.parsed('mac', 'a MAC address', parseStoredMac);
  const clientId = reader.parsed('clientId', 'hex', (text) => (isHex(text) ? text : undefined));
  const circuitId = reader.parsed('circuitId', 'hex', (text) => (isHex(text) ? text : undefined));
  const identity = identityOf({ mac, clientId, circuitId });
  if (identity === undefined) reader.refuse(ONE_IDENTITY);
  return identity;
}

/** Undefined: none is given, or several are. */
export function identityOf(given: {
  mac?: Mac | undefined;
  clientId?: Hex | undefined;
  circuitId?: Hex | undefined;
}): Identity | undefined {
  const found: Identity[] = [];
  if (given.mac !== undefined) found.push({ by: 'mac', mac: given.mac });
  if (given.clientId !== undefined) found.push({ by: 'clientId', hex: given.clientId });
  if (given.circuitId !== undefined) found.push({ by: 'circuitId', hex: given.circuitId });
  return found.length === 1 ? found[0] : undefined;
}

function parseStoredMac(text: string): Mac | undefined {
  const mac = parseMac(text);
  return mac !== undefined && formatMac(mac) === text ? mac : undefined;
}

/** What is wrong with a reservation in itself. */
export function reservationProblems(reservation: Reservation): ObjectProblem[] {
  const problems = settingsProblems(reservation);
  const { identity } = reservation;
  if (identity.by === 'mac') return problems;
  const bytes = identity.hex.length / 2;
  // A client identifier shorter than two bytes counts as absent (RFC 2132 §9.14).
  const least = identity.by === 'clientId' ? 2 : 1;
  if (bytes < least || bytes > MAX_ID_BYTES) {
    const message = `${identity.by} has ${bytes} bytes, not ${least} to ${MAX_ID_BYTES}`;
    problems.push({ message, at: [identity.by] });
  }
  return problems;
}

export function formatReservation(reservation: Reservation): ObjectRecord {
  const { address, identity, hostname } = reservation;
  const who = identity.by === 'mac' ? formatMac(identity.mac) : identity.hex;
  const value = storedValue({
    ...storedSettings(reservation, true),
    [identity.by]: who,
    hostname,
  });
  return { kind: 'reservation', id: formatIpv4(address), value };
}
