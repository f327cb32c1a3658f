// What may never be on a wire, judged from the frame and the table alone, without the model: an
// EIP on the inside, a private address with an EIP on the outside, in the packet or in the one
// that it quotes.
import type { Table } from '../../natter/mapping.ts';

/** One line for each leak of a frame that a program sends to an uplink. */
export function leaksOutside(table: Table, frame: Uint8Array): string[] {
  const { outer, quoted } = addressesOf(frame);
  const isPrivate = (address: number | undefined): boolean =>
    address !== undefined && (table.privateToEip.get(address)?.address ?? 0) !== 0;
  const leaks: string[] = [];
  if (isPrivate(outer.source)) leaks.push('the source is a private address that has an EIP');
  if (isPrivate(quoted?.destination)) leaks.push('the quoted destination is such an address');
  return leaks;
}

/** The same of a frame that a program sends to the inside. */
export function leaksInside(table: Table, frame: Uint8Array): string[] {
  const { outer, quoted } = addressesOf(frame);
  const leaks: string[] = [];
  if (table.eipToPrivate.has(outer.destination)) leaks.push('the destination is an EIP');
  if (quoted !== undefined && table.eipToPrivate.has(quoted.source)) {
    leaks.push('the quoted source is an EIP');
  }
  return leaks;
}

interface Addresses {
  source: number;
  destination: number;
}

function addressesOf(frame: Uint8Array): { outer: Addresses; quoted?: Addresses } {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const at = (offset: number): Addresses => ({
    source: view.getUint32(offset + 12),
    destination: view.getUint32(offset + 16),
  });
  const headerBytes = (view.getUint8(14) & 15) * 4;
  const icmp = 14 + headerBytes;
  const isFirstIcmp = view.getUint8(23) === 1 && (view.getUint16(20) & 0x1fff) === 0;
  const holdsQuote = isFirstIcmp && 14 + view.getUint16(16) >= icmp + 28;
  if (!holdsQuote || ![3, 4, 11, 12].includes(view.getUint8(icmp))) return { outer: at(14) };
  return { outer: at(14), quoted: at(icmp + 8) };
}
