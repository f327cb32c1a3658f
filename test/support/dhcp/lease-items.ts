// Items of lease operations as the tests of backends write them, and what a record says in short.
import {
  addressIn,
  blockOf,
  decodeRecord,
  encodeRecord,
  instanceId,
  packKey,
  type RecordFields,
  recordOffset,
} from '../../../dhcpd/leases/record.ts';
import type { Item, Lease, LeaseBackend, Op, Ran } from '../../../dhcpd/leases/types.ts';
import type { Ipv4 } from '../../../shared/net/ipv4.ts';

export const nodeA = instanceId('dhcpd-a');
export const nodeB = instanceId('dhcpd-b');

export type Want = RecordFields & { client?: number; seconds?: number } & Pick<
    Item,
    'offered' | 'force' | 'planned' | 'details' | 'event'
  >;

/** Client 0 is nobody; odd ones have a long key. */
export function keyOf(client: number): Uint8Array {
  const short = Uint8Array.of(0, 1, 2, 0, 0, 0, client >>> 8, client & 255);
  return client % 2 === 0 ? short : new Uint8Array([...short, ...new Uint8Array(24).fill(7)]);
}

export function itemOf(op: Op, address: Ipv4, want: Want): Item {
  const { client = 0, seconds = 100, offered, force, planned, details, event, ...fields } = want;
  const mac = Uint8Array.of(2, 0, 0, 0, client >>> 8, client & 255);
  const owner = client === 0 ? {} : { htype: 1, chaddr: mac, packedKey: packKey(keyOf(client)) };
  const record = encodeRecord({ instance: nodeA, leaseSeconds: 60, ...owner, ...fields });
  return {
    op,
    address,
    record,
    seconds,
    ...(offered ? { offered } : {}),
    ...(force ? { force } : {}),
    ...(planned ? { planned } : {}),
    ...(details ? { details } : {}),
    ...(event ? { event } : {}),
  };
}

export async function ran(backend: LeaseBackend, items: readonly Item[]): Promise<Ran> {
  const answer = await backend.run(items);
  if ('fenced' in answer) throw new Error(`fenced by ${answer.fenced}`);
  return answer;
}

/** One item: its code, the record after it, and the time it ran at. */
export async function one(
  backend: LeaseBackend,
  op: Op,
  address: Ipv4,
  want: Want,
): Promise<{ code: number; lease: Lease; now: number }> {
  const { results, nowSeconds } = await ran(backend, [itemOf(op, address, want)]);
  const [result] = results;
  if (result === undefined) throw new Error('no result');
  return { code: result.code, lease: decodeRecord(result.record, 0, address), now: nowSeconds };
}

export async function stored(backend: LeaseBackend, address: Ipv4): Promise<Lease> {
  const [found] = await backend.read([blockOf(address)]);
  return decodeRecord(found?.bytes ?? new Uint8Array(0), recordOffset(address), address);
}

/** Addresses of blocks that no other test uses. */
export function addressSource(): () => Ipv4 {
  let block = 0x0a0000;
  return () => addressIn(block++, 7);
}
