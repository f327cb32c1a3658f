// What the counters and meters show after a packet, if the model is right.
import type { Outcome } from '../../../../lb/l4/model/types.ts';
import { viewPacket, wireBytes } from '../../../../shared/net/packet-view.ts';
import type { Totals } from './kernel.ts';

/** `segments`: how many packets a GSO frame is on the wire. */
export function expectedTotals(
  before: Totals,
  { reason, metered }: Pick<Outcome, 'reason' | 'metered'>,
  frame: Uint8Array,
  segments = 1,
): Totals {
  const totals = { ...before };
  const add = (name: string, more: Record<string, number>): void => {
    const sum = { ...totals[name] };
    for (const [field, value] of Object.entries(more)) sum[field] = (sum[field] ?? 0) + value;
    totals[name] = sum;
  };
  const packet = segments === 1 ? undefined : viewPacket(frame);
  const bytes = packet === undefined ? frame.length : wireBytes(packet, segments);
  if (reason !== undefined) add(reason, { packets: segments, bytes });
  if (metered === undefined) return totals;
  const isIn = metered.direction === 'in';
  const more = {
    in_packets: isIn ? metered.packets : 0,
    in_bytes: isIn ? metered.bytes : 0,
    out_packets: isIn ? 0 : metered.packets,
    out_bytes: isIn ? 0 : metered.bytes,
    connections: metered.connections,
  };
  add(`server ${metered.serverSlot}`, more);
  add(`target ${metered.targetSlot}`, more);
  return totals;
}
