// Elastic IPs by their traffic, and what natter drops. Pure.

import { formatIpv4 } from '../../shared/net/ipv4.ts';
import type { Eip } from '../../shared/site/eip.ts';
import { EIP_SAMPLE } from '../collect/eip-samples.ts';
import { fields, name, number } from '../collect/shapes.ts';
import type { SiteReading } from '../collect/types.ts';
import { pagesOf, ratesBy, valuesBy } from './sums.ts';
import { byNumber, column, type Row, type Section, type Table, worstFirst } from './types.ts';

/** Of its limit: more than that, and it is named. */
const NEAR_LIMIT = 0.9;
const SHOWN = 100;

type Rates = { inBytes: number; outBytes: number; inPackets: number; outPackets: number };

/** Drops that an operator asked for, by a limit or a list of forwards. */
const WANTED_DROPS = /^DROP_(NO_FORWARD|LIMIT|GROUP_LIMIT|PORT_TAKEN)/;

export function eipsSection(site: SiteReading): Section {
  const rates = ratesOfEips(site);
  const rows = [...rates].map(([address, each]) => row(address, each, site.eips.get(address)));
  const shown = worstFirst(rows, byNumber('bitsPerSecond'), SHOWN);
  const totals = pagesOf(site, 'natter', 'stats').map(
    ({ page }) => number(fields(page).total) ?? 0,
  );
  const table: Table = {
    id: 'eips',
    title: 'Elastic IPs by traffic',
    columns: [
      column('address', 'EIP'),
      column('private', 'VM'),
      column('inBitsPerSecond', 'in', 'bits'),
      column('outBitsPerSecond', 'out', 'bits'),
      column('packetsPerSecond', 'packets', 'rate'),
      column('inLimitBitsPerSecond', 'limit in', 'bits'),
      column('outLimitBitsPerSecond', 'limit out', 'bits'),
      column('usedOfLimit', 'of its limit', 'fill'),
      column('group', 'group'),
    ],
    rows: shown,
    total: Math.max(...totals, rows.length, 0),
    empty: 'No elastic IP has been added yet: edgectl eip add.',
    note: 'All natters added up. Each tells the EIPs that it saw most traffic of.',
  };
  const problems = shown
    .filter(({ level }) => level === 'warn')
    .map(({ values }) => ({
      level: 'warn' as const,
      section: 'eips',
      what: `EIP ${values.address} is at its limit`,
      why: 'it uses nine tenths of it or more; what is beyond is dropped',
    }));
  return { id: 'eips', title: 'Elastic IPs', tables: [table, dropTable(site)], problems };
}

function ratesOfEips({ readings }: SiteReading): Map<string, Rates> {
  const sums = new Map<string, Rates>();
  for (const { service, rated } of readings) {
    if (service !== 'natter') continue;
    for (const { name: metric, labels, perSecond } of rated) {
      if (metric !== EIP_SAMPLE) continue;
      const address = labels.address ?? '';
      const sum = sums.get(address) ?? { inBytes: 0, outBytes: 0, inPackets: 0, outPackets: 0 };
      const what = labels.what as keyof Rates; // as eipSamples() names them
      sum[what] += perSecond ?? 0;
      sums.set(address, sum);
    }
  }
  return sums;
}

/** Addresses whose objects are worth asking for. */
export function busiestEips(site: SiteReading): string[] {
  return [...ratesOfEips(site)]
    .sort(([, a], [, b]) => b.inBytes + b.outBytes - a.inBytes - a.outBytes)
    .slice(0, SHOWN)
    .map(([address]) => address);
}

function row(address: string, rates: Rates, eip: Eip | undefined): Row {
  const [inBits, outBits] = [rates.inBytes * 8, rates.outBytes * 8];
  const used = [
    [inBits, eip?.inBitsPerSecond],
    [outBits, eip?.outBitsPerSecond],
  ].flatMap(([bits = 0, limit]) => (limit === undefined ? [] : [bits / limit]));
  const most = used.length === 0 ? null : Math.max(...used);
  return {
    level: most !== null && most >= NEAR_LIMIT ? 'warn' : 'ok',
    values: {
      address: name(address),
      private: eip?.private === undefined ? null : formatIpv4(eip.private),
      inBitsPerSecond: inBits,
      outBitsPerSecond: outBits,
      bitsPerSecond: inBits + outBits,
      packetsPerSecond: rates.inPackets + rates.outPackets,
      inLimitBitsPerSecond: eip?.inBitsPerSecond ?? null,
      outLimitBitsPerSecond: eip?.outBitsPerSecond ?? null,
      usedOfLimit: most,
      group: eip?.group ?? null,
    },
  };
}

function dropTable(site: SiteReading): Table {
  const key = ({ reason = '' }: Readonly<Record<string, string>>) =>
    reason.startsWith('DROP_') ? reason : undefined;
  const rates = ratesBy(site, 'edge_natter_packets_total', key);
  const rows = [...valuesBy(site, 'edge_natter_packets_total', key)]
    .filter(([, packets]) => packets > 0)
    .map(([reason, packets]): Row => {
      const perSecond = rates.get(reason) ?? null;
      const level = (perSecond ?? 0) > 0 && !WANTED_DROPS.test(reason) ? 'warn' : 'ok';
      return { level, values: { reason: name(reason), packetsPerSecond: perSecond, packets } };
    });
  return {
    id: 'drops',
    title: 'Drops by reason',
    columns: [
      column('reason', 'reason'),
      column('packetsPerSecond', 'packets', 'rate'),
      column('packets', 'since the start', 'count'),
    ],
    rows: worstFirst(rows, byNumber('packetsPerSecond')),
    total: rows.length,
    empty: 'Nothing was dropped.',
  };
}
