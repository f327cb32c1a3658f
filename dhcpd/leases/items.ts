// Items (docs/leases.md §4) out of what the engine wants. Pure.
import { toHex } from '../../shared/bytes.ts';
import { encodeRecord, packedKeyOf, packKey } from './record.ts';
import { holdSeconds } from './told.ts';
import type { BindWant, Client, Item, Lease, LeaseEvent } from './types.ts';
import { STATE } from './types.ts';

export function bindItem(want: BindWant, instance: number, type: 'bind' | 'renew'): Item {
  const { client, address, leaseSeconds, offered, details } = want;
  const event = eventOf(type, client.chaddr, client.key, details?.hostname);
  const record = encodeRecord({
    state: STATE.bound,
    hasDetails: details !== undefined && Object.keys(details).length > 0,
    htype: client.htype,
    chaddr: client.chaddr,
    instance,
    packedKey: packKey(client.key),
    leaseSeconds,
  });
  return {
    op: 'bind',
    address,
    record,
    seconds: holdSeconds(leaseSeconds),
    ...(offered ? { offered: true } : {}),
    ...(want.planned ? { planned: true } : {}),
    ...(details === undefined ? {} : { details }),
    event: want.noName ? { ...event, noName: true } : event,
  };
}

/** RELEASE and DECLINE: of the binding that the replica shows, and of no later one (R6). */
export function endItem(
  op: 'release' | 'decline',
  client: Client,
  lease: Lease,
  seconds: number,
  instance: number,
): Item {
  const record = encodeRecord({
    state: lease.state,
    htype: client.htype,
    chaddr: client.chaddr,
    generation: lease.generation,
    instance,
    packedKey: packKey(client.key),
  });
  const event = eventOf(op, client.chaddr, client.key);
  return { op, address: lease.address, record, seconds, event };
}

/**
 * A release of nobody's: changes nothing, and comes back with the record as Redis has it, in the
 * order of all changes.
 */
export function lookItem(address: Item['address'], instance: number): Item {
  return { op: 'release', address, record: encodeRecord({ instance }), seconds: 0 };
}

/** Found in use though nobody holds it: as a decline of what we have reserved. */
export function quarantineItem(lease: Lease, seconds: number, instance: number): Item {
  const { generation, htype, chaddr } = lease;
  const packedKey = packedKeyOf(lease);
  const record = encodeRecord({
    state: STATE.declined,
    htype,
    chaddr,
    generation,
    instance,
    packedKey,
  });
  const event = eventOf('decline', chaddr, lease.key);
  return { op: 'decline', address: lease.address, record, seconds, offered: true, event };
}

export function eventOf(
  type: LeaseEvent['type'],
  chaddr: Uint8Array,
  key: Uint8Array,
  hostname?: string,
): LeaseEvent {
  const mac = toHex(chaddr, ':');
  const keyHex = toHex(key);
  return { type, mac, keyHex, ...(hostname === undefined ? {} : { hostname }) };
}
