// Before anything is measured: one packet each way must come out translated, its checksums right.
import { EIP_BASE, PRIVATE_BASE } from './addresses.ts';
import { addressesOf, type FloodRequest } from './protocol.ts';
import type { Remote } from './remote.ts';
import type { Site } from './site.ts';

/** RFC 1071, over whole 16-bit words. */
function sum(bytes: Uint8Array, from: number, to: number): number {
  let total = 0;
  for (let at = from; at < to; at += 2) total += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  return total;
}
function isZero(total: number): boolean {
  let folded = total;
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  return folded === 0xffff;
}

/** What is wrong with a frame that should come from `source` (or to `destination`), if anything. */
function fault(bytes: Uint8Array, want: { source?: number; destination?: number }) {
  const view = new DataView(bytes.buffer);
  const hex = Buffer.from(bytes).toString('hex');
  if (view.getUint16(12) !== 0x0800) return `no packet arrived: ${hex}`;
  if (want.source !== undefined && view.getUint32(26) !== want.source) return `source: ${hex}`;
  if (want.destination !== undefined && view.getUint32(30) !== want.destination) {
    return `destination: ${hex}`;
  }
  if (view.getUint8(22) !== 63) return `TTL: ${hex}`;
  if (!isZero(sum(bytes, 14, 34))) return `IPv4 checksum: ${hex}`;
  const pseudo = sum(bytes, 26, 34) + 17 + view.getUint16(38);
  if (!isZero(pseudo + sum(bytes, 34, 60))) return `UDP checksum: ${hex}`;
  return undefined;
}

/** Flow 0 of the generator picks EIP 0 of 1 … N: scramble(0) is 0. */
export async function verifyTranslation(
  router: Remote,
  sink: Remote,
  site: Site,
  eips: number,
): Promise<void> {
  const addresses = addressesOf(site.contender);
  const one = { addresses, eips, packets: 1, flows: 0, firstFlow: 0 };
  const check = async (link: FloodRequest['link'], arrives: string, want: object) => {
    await router.call('flood', { ...one, link });
    const wrong = fault(Uint8Array.from(await sink.call('captured', { link: arrives })), want);
    if (wrong) throw new Error(`${site.contender} does not translate by ${link}: ${wrong}`);
  };
  await check('up0', site.vmLink, { destination: PRIVATE_BASE });
  const source = addresses === 'eip' ? EIP_BASE : PRIVATE_BASE;
  await check('in0', site.clientLink, { source });
}
