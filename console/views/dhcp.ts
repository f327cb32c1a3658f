// Leases, and how full the pools of each network are. Pure.
import { fields, name, number, rows } from '../collect/shapes.ts';
import type { SiteReading } from '../collect/types.ts';
import { pagesOf, ratesBy, valuesBy } from './sums.ts';
import {
  byNumber,
  column,
  type Level,
  problemsOf,
  type Row,
  type Section,
  type Table,
  worstFirst,
} from './types.ts';

/** Of a pool: with more than that bound, somebody should add addresses. */
const NEARLY_FULL = 0.9;

export function dhcpSection(site: SiteReading): Section {
  const networks = networkRows(site);
  const table: Table = {
    id: 'subnets',
    title: 'How full pools are',
    columns: [
      column('network', 'network'),
      column('state', 'state', 'level'),
      column('used', 'used', 'fill'),
      column('bound', 'bound', 'count'),
      column('free', 'free', 'count'),
      column('declined', 'declined', 'count'),
      column('total', 'addresses', 'count'),
    ],
    rows: networks.rows,
    total: networks.total,
    empty: 'No subnet has a pool.',
  };
  const tell = ({ values }: Row) => ({
    what: `the pools of ${values.network} are ${values.state}`,
    why: `${values.free} of ${values.total} addresses are free`,
  });
  return {
    id: 'dhcp',
    title: 'DHCP',
    tables: [table, leaseTable(site), reasonTable(site)],
    problems: problemsOf('dhcp', networks.rows, tell),
  };
}

/** All instances serve the same: of several that tell, the one with most networks is shown. */
function networkRows(site: SiteReading): { rows: Row[]; total: number } {
  const [first] = pagesOf(site, 'dhcpd', 'networks')
    .map(({ page }) => ({
      all: rows(fields(page).networks),
      total: number(fields(page).total) ?? 0,
    }))
    .sort((a, b) => b.total - a.total);
  const all = (first?.all ?? []).flatMap((each): Row[] => {
    const [bound, free, declined, total] = [each.bound, each.free, each.declined, each.total].map(
      (value) => number(value) ?? 0,
    ) as [number, number, number, number];
    if (total === 0) return [];
    const used = (total - free) / total;
    const level: Level = free === 0 ? 'bad' : used >= NEARLY_FULL ? 'warn' : 'ok';
    const state = free === 0 ? 'full' : used >= NEARLY_FULL ? 'nearly full' : 'has room';
    return [
      { level, values: { network: name(each.network), state, used, bound, free, declined, total } },
    ];
  });
  return {
    rows: worstFirst(all, byNumber('used')),
    total: Math.max(all.length, first?.total ?? 0),
  };
}

function leaseTable(site: SiteReading): Table {
  const [first] = pagesOf(site, 'dhcpd', 'leases');
  const { leases, now } = fields(first?.page);
  const nowSeconds = number(now) ?? site.nowMs / 1000;
  const all = rows(leases).map((lease): Row => {
    const until = number(lease.toldUntil);
    const boundAt = number(lease.boundAt);
    return {
      level: 'ok',
      values: {
        address: name(lease.address),
        hostname: name(lease.hostname) || null,
        mac: name(lease.mac),
        heldSeconds: boundAt === null ? null : Math.max(0, nowSeconds - boundAt),
        leftSeconds: until === null ? null : Math.max(0, until - nowSeconds),
      },
    };
  });
  const bound = [...valuesBy(site, 'edge_dhcpd_leases_bound', ({ network }) => network).values()];
  const instances = Math.max(1, pagesOf(site, 'dhcpd', 'networks').length);
  const total = Math.round(bound.reduce((sum, each) => sum + each, 0) / instances);
  return {
    id: 'leases',
    title: 'Leases',
    columns: [
      column('address', 'address'),
      column('hostname', 'name'),
      column('mac', 'client'),
      column('heldSeconds', 'held for', 'age'),
      column('leftSeconds', 'ends in', 'age'),
    ],
    rows: worstFirst(all, byHeld),
    total: Math.max(total, all.length),
    empty: 'No client holds an address, or no dhcpd could be read.',
    note: 'The newest of the first 200 by address, read now and then; all: edgectl lease list.',
  };
}

const byHeld = (a: Row, b: Row) =>
  Number(a.values.heldSeconds ?? 0) - Number(b.values.heldSeconds ?? 0);

function reasonTable(site: SiteReading): Table {
  const key = ({ reason = '' }: Readonly<Record<string, string>>) => reason;
  const rates = ratesBy(site, 'edge_dhcpd_messages_total', key);
  const all = [...valuesBy(site, 'edge_dhcpd_messages_total', key)]
    .filter(([, count]) => count > 0)
    .map(([reason, messages]): Row => {
      const messagesPerSecond = rates.get(reason) ?? null;
      return { level: 'ok', values: { reason: name(reason), messagesPerSecond, messages } };
    });
  return {
    id: 'dhcp-messages',
    title: 'Messages by what became of them',
    columns: [
      column('reason', 'what'),
      column('messagesPerSecond', 'now', 'rate'),
      column('messages', 'since the start', 'count'),
    ],
    rows: worstFirst(all, byNumber('messages')),
    total: all.length,
    empty: 'No message has come yet.',
  };
}
