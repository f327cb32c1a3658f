// A site file's schema: sections of objects as operators write them, rates as 100mbit, sizes as
// 64kb.
import { z } from 'zod';
import { name, rate, size, written } from '../config/types.ts';
import { formatIpv4 } from '../net/ipv4.ts';
import { formatRate, formatSize } from '../net/units.ts';
import type { Eip } from './eip.ts';
import type { ForwardFrom, ForwardTo } from './forward.ts';
import { formatForwardFrom, formatForwardTo, parseForwardFrom, parseForwardTo } from './forward.ts';
import type { Group } from './group.ts';
import type { ObjectOf } from './kinds.ts';
import { SERVICES } from './place.ts';
import { dhcpClass, l3net, reservation, subnet } from './schema-dhcp.ts';
import { line, record, zone } from './schema-dns.ts';
import { certificate, listener, route, vserver } from './schema-lb.ts';
import { override, pool } from './schema-pools.ts';
import {
  MAX_BURST_BYTES,
  MAX_RATE_BITS_PER_SECOND,
  MIN_BURST_BYTES,
  MIN_RATE_BITS_PER_SECOND,
  parseHost,
} from './value.ts';

const host = written('the IPv4 address of a host, such as 192.0.2.1', parseHost, formatIpv4);
const from = written<ForwardFrom>(
  'EIP:port/protocol, such as 198.51.100.8:443/tcp or 198.51.100.8:8000-8099/udp',
  parseForwardFrom,
  formatForwardFrom,
);
const to = written<ForwardTo>(
  'address:port, such as 10.0.0.6:8443',
  parseForwardTo,
  formatForwardTo,
);

const limitRate = rate.refine(
  (bits) => bits >= MIN_RATE_BITS_PER_SECOND && bits <= MAX_RATE_BITS_PER_SECOND,
  `must be ${formatRate(MIN_RATE_BITS_PER_SECOND)} to ${formatRate(MAX_RATE_BITS_PER_SECOND)}`,
);
const burst = size.refine(
  (bytes) => bytes >= MIN_BURST_BYTES && bytes <= MAX_BURST_BYTES,
  `must be ${formatSize(MIN_BURST_BYTES)} to ${formatSize(MAX_BURST_BYTES)}`,
);
const limit = { in: limitRate.optional(), out: limitRate.optional(), burst: burst.optional() };

const eip = z.strictObject({
  address: host,
  private: host.optional(),
  limit: z.strictObject(limit).optional(),
  group: name.optional(),
  source: name.optional(),
});
const forward = z.strictObject({ from, to });
const group = z.strictObject({ name, ...limit });
const node = z.strictObject({
  name,
  service: z.enum(SERVICES).default('natter'),
  drain: z.boolean().default(false),
});

/** Each section may be missing, or empty. */
const section = <Item extends z.ZodType>(item: Item) => z.array(item).nullable().optional();
export const siteSchema = z.strictObject({
  eips: section(eip),
  forwards: section(forward),
  groups: section(group),
  nodes: section(node),
  subnets: section(subnet),
  reservations: section(reservation),
  classes: section(dhcpClass),
  l3nets: section(l3net),
  lines: section(line),
  pools: section(pool),
  overrides: section(override),
  zones: section(zone),
  records: section(record),
  certificates: section(certificate),
  vservers: section(vserver),
  listeners: section(listener),
  routes: section(route),
});

type Limits = { in?: number | undefined; out?: number | undefined; burst?: number | undefined };
type WrittenSite = z.output<typeof siteSchema>;
type Item<Section extends keyof WrittenSite> = NonNullable<WrittenSite[Section]>[number];

export function eipOf(item: Item<'eips'>): Eip {
  return {
    address: item.address,
    ...(item.private === undefined ? {} : { private: item.private }),
    ...limitsOf(item.limit ?? {}),
    ...(item.group === undefined ? {} : { group: item.group }),
    ...(item.source === undefined ? {} : { source: item.source }),
  };
}

export function groupOf(item: Item<'groups'>): Group {
  return { name: item.name, ...limitsOf(item) };
}

export function forwardOf(item: Item<'forwards'>): ObjectOf['forward'] {
  return { ...item.from, ...item.to };
}

function limitsOf(limits: Limits): Omit<Group, 'name'> {
  return {
    ...(limits.in === undefined ? {} : { inBitsPerSecond: limits.in }),
    ...(limits.out === undefined ? {} : { outBitsPerSecond: limits.out }),
    ...(limits.burst === undefined ? {} : { burstBytes: limits.burst }),
  };
}
