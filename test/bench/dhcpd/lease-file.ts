// Kea's lease file with leases in it that nobody ever asked for. Pure.
import { addressOf, fillerMac, isFilled, LEASE_SECONDS } from './addresses.ts';
import type { Pool } from './types.ts';

const CSV_HEADER =
  'address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,' +
  'user_context\n';
const LINES_A_CHUNK = 4096;

/** A lease file with all that is taken, in chunks of some thousand lines. */
export function* leaseFile(pool: Pool, perMille: number, now: number): Generator<string> {
  yield CSV_HEADER;
  let lines: string[] = [];
  for (let index = 0; index < pool.count; index++) {
    if (!isFilled(index, perMille)) continue;
    const mac = (fillerMac(index).match(/../g) ?? []).join(':');
    const times = `${LEASE_SECONDS},${now + LEASE_SECONDS}`;
    lines.push(`${addressOf(pool, index)},${mac},01:${mac},${times},1,0,0,,0,\n`);
    if (lines.length === LINES_A_CHUNK) {
      yield lines.join('');
      lines = [];
    }
  }
  yield lines.join('');
}
