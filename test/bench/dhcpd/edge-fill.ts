// Leases of ours that nobody ever asked for, written as leases.lua would have left them: whole
// blocks, of the lineage that Redis has now (docs/leases.md §3 and §7).
import {
  addressIn,
  BLOCK_ADDRESSES,
  BLOCK_BYTES,
  blockId,
  blockOf,
  clientKey,
  encodeHeader,
  encodeRecord,
  instanceId,
  LAYOUT_VERSION,
  LINEAGE_CHARACTERS,
  packKey,
  recordOffset,
} from '../../../dhcpd/leases/record.ts';
import { STATE } from '../../../dhcpd/leases/types.ts';
import { ipv4 } from '../../../shared/net/ipv4.ts';
import { leaseKeys } from '../../../shared/store/keys.ts';
import { fillerMac, isFilled, LEASE_SECONDS } from './addresses.ts';
import { askAll, infoOf } from './redis.ts';
import type { Pool } from './types.ts';

/** What a hold has beyond the lease and half of it. */
const GUARD_SECONDS = 30;
const BLOCKS_A_CALL = 256;

function recordOf(index: number, now: number): Uint8Array {
  const chaddr = Uint8Array.from(Buffer.from(fillerMac(index), 'hex'));
  const clientId = Uint8Array.of(1, ...chaddr);
  return encodeRecord({
    state: STATE.bound,
    htype: 1,
    chaddr,
    generation: 1,
    holdUntil: now + 1.5 * LEASE_SECONDS + GUARD_SECONDS,
    toldUntil: now + LEASE_SECONDS,
    boundAt: now,
    instance: instanceId('filler'),
    packedKey: packKey(clientKey(clientId, 1, chaddr)),
    leaseSeconds: LEASE_SECONDS,
    version: 1,
  });
}

/** The pool must begin with a block. */
function blockBytes(block: number, pool: Pool, perMille: number, lineage: string, now: number) {
  const bytes = new Uint8Array(BLOCK_BYTES);
  bytes.set(encodeHeader({ lineage, version: 1, quarantineUntil: 0, layout: LAYOUT_VERSION }));
  for (let octet = 0; octet < BLOCK_ADDRESSES; octet++) {
    const address = addressIn(block, octet);
    const index = address - pool.first;
    if (isFilled(index, perMille)) bytes.set(recordOf(index, now), recordOffset(address));
  }
  return bytes;
}

/** Before an instance is started. */
export async function fillRedis(path: string, pool: Pool, perMille: number): Promise<void> {
  const lineage = (await infoOf(path, 'server', 'run_id')).slice(0, LINEAGE_CHARACTERS);
  const now = Math.floor(Date.now() / 1000);
  const keys = leaseKeys('dhcpd');
  const first = blockOf(ipv4(pool.first));
  const count = Math.ceil(pool.count / BLOCK_ADDRESSES);
  function* commands(from: number): Generator<(string | Uint8Array)[]> {
    for (let at = from; at < Math.min(count, from + BLOCKS_A_CALL); at++) {
      const id = blockId(first + at);
      yield ['SADD', keys.blocks, id];
      yield ['SET', keys.block(id).records, blockBytes(first + at, pool, perMille, lineage, now)];
    }
  }
  for (let from = 0; from < count; from += BLOCKS_A_CALL) await askAll(path, commands(from));
}
