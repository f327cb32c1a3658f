// The columns and the JSON fields of each kind of object.

import { formatIpv4 } from '../net/ipv4.ts';
import { formatPortRange } from '../net/ports.ts';
import { formatRate, formatSize } from '../net/units.ts';
import type { Eip } from '../site/eip.ts';
import {
  type Forward,
  formatForwardFrom,
  formatForwardTo,
  formatProtocol,
  toLastPort,
} from '../site/forward.ts';
import type { Group } from '../site/group.ts';
import type { NodeIntent } from '../site/node.ts';
import type { Column } from './table.ts';

export const rateText = (bitsPerSecond: number | undefined) =>
  bitsPerSecond === undefined ? undefined : formatRate(bitsPerSecond);
export const sizeText = (bytes: number | undefined) =>
  bytes === undefined ? undefined : formatSize(bytes);

type Limited = Pick<Eip, 'inBitsPerSecond' | 'outBitsPerSecond' | 'burstBytes'>;

export const LIMIT_COLUMNS: readonly Column<Limited>[] = [
  { title: 'IN', right: true, value: (row) => rateText(row.inBitsPerSecond) },
  { title: 'OUT', right: true, value: (row) => rateText(row.outBitsPerSecond) },
  { title: 'BURST', right: true, value: (row) => sizeText(row.burstBytes) },
];

export type EipRow = Eip & { forwards: number };

/** EIPs with the number of forwards that each has. */
export function eipRows(eips: readonly Eip[], forwards: readonly Forward[]): EipRow[] {
  const counts = new Map<number, number>();
  for (const { eip } of forwards) counts.set(eip, (counts.get(eip) ?? 0) + 1);
  return eips.map((eip) => ({ ...eip, forwards: counts.get(eip.address) ?? 0 }));
}

export const EIP_COLUMNS: readonly Column<EipRow>[] = [
  { title: 'ADDRESS', value: (row) => formatIpv4(row.address) },
  {
    title: 'PRIVATE',
    value: (row) => (row.private === undefined ? undefined : formatIpv4(row.private)),
  },
  ...LIMIT_COLUMNS,
  { title: 'GROUP', value: (row) => row.group },
  { title: 'FORWARDS', right: true, value: (row) => row.forwards || undefined },
];

export const FORWARD_COLUMNS: readonly Column<Forward>[] = [
  { title: 'FROM', value: formatForwardFrom },
  {
    title: 'TO',
    value: (row) => {
      const ports = formatPortRange({ first: row.toFirstPort, last: toLastPort(row) });
      return `${formatIpv4(row.toAddress)}:${ports}`;
    },
  },
];

export type GroupRow = Group & { members: number };

export function groupRows(groups: readonly Group[], eips: readonly Eip[]): GroupRow[] {
  const counts = new Map<string, number>();
  for (const { group } of eips) if (group) counts.set(group, (counts.get(group) ?? 0) + 1);
  return groups.map((group) => ({ ...group, members: counts.get(group.name) ?? 0 }));
}

export const GROUP_COLUMNS: readonly Column<GroupRow>[] = [
  { title: 'GROUP', value: (row) => row.name },
  ...LIMIT_COLUMNS,
  { title: 'EIPS', right: true, value: (row) => row.members },
];

export const NODE_COLUMNS: readonly Column<NodeIntent>[] = [
  { title: 'NODE', value: (row) => row.name },
  { title: 'SERVICE', value: (row) => row.service ?? 'natter' },
  { title: 'DRAIN', value: (row) => (row.drain ? 'yes' : 'no') },
];

export function limitJson(row: Limited) {
  return {
    inBitsPerSecond: row.inBitsPerSecond ?? null,
    outBitsPerSecond: row.outBitsPerSecond ?? null,
    burstBytes: row.burstBytes ?? null,
  };
}

export function eipJson(row: EipRow) {
  return {
    address: formatIpv4(row.address),
    private: row.private === undefined ? null : formatIpv4(row.private),
    ...limitJson(row),
    group: row.group ?? null,
    source: row.source ?? null,
    forwards: row.forwards,
  };
}

export function forwardJson(row: Forward) {
  return {
    from: formatForwardFrom(row),
    eip: formatIpv4(row.eip),
    protocol: formatProtocol(row.protocol),
    firstPort: row.firstPort,
    lastPort: row.lastPort,
    to: formatForwardTo(row),
    toAddress: formatIpv4(row.toAddress),
    toFirstPort: row.toFirstPort,
  };
}

export function groupJson(row: GroupRow) {
  return { name: row.name, ...limitJson(row), members: row.members };
}
