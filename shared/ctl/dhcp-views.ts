// The columns of each kind of object of dhcpd.

import { formatIpv4 } from '../net/ipv4.ts';
import { formatMac } from '../net/mac.ts';
import { formatPrefix } from '../net/prefix.ts';
import { writtenBytes } from '../site/bytes.ts';
import type { DhcpClass } from '../site/class.ts';
import { type EntryValue, entryOf } from '../site/entry.ts';
import type { L3Net } from '../site/l3net.ts';
import { formatSeconds } from '../site/lease-times.ts';
import { poolSize } from '../site/pool.ts';
import type { Identity, Reservation } from '../site/reservation.ts';
import type { Subnet } from '../site/subnet.ts';
import type { Column } from './table.ts';

/** Of an entry's value, short and on one line. */
export function valueText(value: EntryValue): string {
  if (Array.isArray(value)) return value.map(valueText).join(',');
  if (typeof value !== 'object') return String(value);
  const pairs = Object.entries(value).map(([key, inner]) => `${key}=${valueText(inner)}`);
  return pairs.join(' ');
}

export const SUBNET_COLUMNS: readonly Column<Subnet>[] = [
  { title: 'SUBNET', value: (row) => formatPrefix(row.prefix) },
  { title: 'NETWORK', value: (row) => row.network },
  {
    title: 'POOL',
    right: true,
    value: (row) => row.pools.reduce((sum, pool) => sum + poolSize(pool), 0),
  },
  { title: 'LEASE', right: true, value: (row) => formatSeconds(row.lease.default) },
  { title: 'INTERFACE', value: (row) => row.interface },
  { title: 'RELAYS', value: (row) => row.relays.map(formatIpv4).join(',') },
];

export function identityText(identity: Identity): string {
  if (identity.by === 'mac') return `mac ${formatMac(identity.mac)}`;
  const bytes = writtenBytes(identity.hex);
  return `${identity.by} ${typeof bytes === 'string' ? bytes : bytes.hex}`;
}

export const RESERVATION_COLUMNS: readonly Column<Reservation>[] = [
  { title: 'ADDRESS', value: (row) => formatIpv4(row.address) },
  { title: 'CLIENT', value: (row) => identityText(row.identity) },
  { title: 'HOSTNAME', value: (row) => row.hostname },
  { title: 'BOOTFILE', value: (row) => row.bootFile },
];

export const CLASS_COLUMNS: readonly Column<DhcpClass>[] = [
  { title: 'CLASS', value: (row) => row.name },
  { title: 'ORDER', right: true, value: (row) => row.order },
  {
    title: 'MATCH',
    value: (row) => valueText(entryOf({ kind: 'class', object: row }).match ?? {}),
  },
  { title: 'BOOTFILE', value: (row) => row.bootFile },
];

export const L3NET_COLUMNS: readonly Column<L3Net>[] = [
  { title: 'CIDR', value: (row) => formatPrefix(row.cidr) },
  { title: 'HOST', value: (row) => row.host },
  { title: 'DNS', value: (row) => row.dns.map(formatIpv4).join(',') },
  { title: 'MTU', right: true, value: (row) => row.mtu },
];
