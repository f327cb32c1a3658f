// What a dhcpd shows of itself: the status page and its JSON, and the verbs of the control socket.

import type { ControlRoute } from '../../shared/admin/control.ts';
import type { Cell, StatusTable, StatusView } from '../../shared/admin/page.ts';
import { rowsPage } from '../../shared/admin/rows-page.ts';
import type { JsonPages } from '../../shared/admin/server.ts';
import { OperationalError } from '../../shared/errors.ts';
import { formatMac, macFromBytes } from '../../shared/net/mac.ts';
import { formatPrefix } from '../../shared/net/prefix.ts';
import type { DhcpdConfig } from '../config.ts';
import { SERVICE } from '../name.ts';
import { reasonText } from '../reasons.ts';
import type { DhcpdService } from '../service.ts';
import { explainClient } from './explain-answer.ts';
import type { LeaseHistory } from './lease-history.ts';
import { leasePage, readLeaseQuery, releaseLease } from './lease-pages.ts';
import { namesPage, type ShownNames } from './name-pages.ts';

/** What the pages show besides the service. */
export type Shown = { durability: string | undefined };

export function statusJson(
  config: DhcpdConfig,
  dhcpd: DhcpdService | undefined,
  shown: Shown,
): unknown {
  const identity = { service: SERVICE, node: config.node };
  if (dhcpd === undefined) return { ...identity, state: 'starting' };
  const status = dhcpd.follower.status();
  const { plan } = dhcpd;
  return {
    ...identity,
    version: dhcpd.options.version,
    state: dhcpd.state,
    startedAt: new Date(dhcpd.startedAt).toISOString(),
    checks: dhcpd.checks(),
    plan: {
      version: plan.version,
      desiredVersion: status.desiredVersion,
      subnets: plan.subnets.length,
      classes: plan.classes.length,
      l3nets: plan.l3nets.length,
    },
    drift: status.drift ?? [],
    store: {
      up: status.storeUp,
      source: status.source,
      lastContactMs: Number.isFinite(status.lastContactMs) ? status.lastContactMs : null,
    },
    leases: { ...dhcpd.book.status(), durability: shown.durability ?? null },
    networks: dhcpd.networkCounts().map(({ network, counts }) => ({ network, ...counts })),
    links: linkRows(dhcpd),
    members: { all: dhcpd.membership.all, onLan: dhcpd.membership.onLan.names },
    canary: config.canary.enabled ? (dhcpd.canaryProblem ?? 'passed') : 'off',
    pending: dhcpd.server.pending,
    messages: Object.fromEntries(dhcpd.messages.entries()),
    dropped: Object.fromEntries(dhcpd.wire.dropped()),
    udp: dhcpd.wire.udpCounts ?? null,
    foreignAnswers: dhcpd.wire.foreignAnswers,
  };
}

function linkRows({ wire }: DhcpdService) {
  return wire.links.states.map(({ name, link, problem }) => ({
    name,
    mac: link === undefined ? null : formatMac(macFromBytes(link.mac)),
    addresses: (link?.addresses ?? []).map((one) => formatPrefix(one)),
    problem: problem ?? null,
  }));
}

export function statusView(
  config: DhcpdConfig,
  version: string,
  dhcpd: DhcpdService | undefined,
  shown: Shown,
): StatusView {
  const head = { service: SERVICE, node: config.node, version };
  if (dhcpd === undefined) {
    return { ...head, state: { text: 'starting', level: 'warn' }, facts: [], tables: [] };
  }
  const status = dhcpd.follower.status();
  const { plan, book, state } = dhcpd;
  const facts: [string, Cell][] = [
    ['plan', `version ${plan.version} of ${status.desiredVersion}, ${plan.subnets.length} subnets`],
    ['drift', status.drift ? { text: status.drift.join('; '), level: 'bad' } : 'none'],
    ['store', status.storeUp ? 'answers' : { text: 'does not answer', level: 'warn' }],
    ['leases', book.condition === 'fresh' ? 'fresh' : { text: book.condition, level: 'warn' }],
    ['durability', shown.durability ?? 'not known yet'],
    ['members', dhcpd.membership.all.join(', ')],
    [
      'canary',
      dhcpd.canaryProblem ? { text: dhcpd.canaryProblem, level: 'bad' } : 'got an address',
    ],
  ];
  const level = state === 'running' ? 'ok' : state === 'not-ready' ? 'bad' : 'warn';
  const tables = [linkTable(dhcpd), networkTable(dhcpd), reasonTable(dhcpd)];
  return { ...head, state: { text: state, level }, facts, tables };
}

function linkTable(dhcpd: DhcpdService): StatusTable {
  const rows = linkRows(dhcpd).map(({ name, addresses, problem }): Cell[] => [
    name,
    addresses.join(', ') || '-',
    problem === null ? { text: 'served', level: 'ok' } : { text: problem, level: 'bad' },
  ]);
  return { title: 'Links', columns: ['link', 'addresses', 'state'], rows };
}

function networkTable(dhcpd: DhcpdService): StatusTable {
  const rows = dhcpd
    .networkCounts()
    .map(({ network, counts }): Cell[] => [
      network,
      counts.bound,
      counts.free > 0 ? counts.free : { text: '0', level: 'bad' },
      counts.declined,
      counts.total,
    ]);
  return { title: 'Networks', columns: ['network', 'bound', 'free', 'declined', 'total'], rows };
}

function reasonTable({ messages }: DhcpdService): StatusTable {
  const rows = messages
    .entries()
    .map(([reason, count]): Cell[] => [reason, count, reasonText(reason) ?? '']);
  return { title: 'Messages', columns: ['reason', 'messages', 'meaning'], rows };
}

type MaybeDhcpd = () => DhcpdService | undefined;

function running(dhcpd: MaybeDhcpd): DhcpdService {
  const service = dhcpd();
  if (service !== undefined) return service;
  throw new OperationalError('EDGE_DHCPD_STARTING', 'the dhcpd has not started yet', {
    remedy: 'wait until it is ready, see its log',
  });
}

/** What is read-only, for a console: pools by how little is left, and leases. */
export function dhcpdPages(dhcpd: MaybeDhcpd): JsonPages {
  return {
    '/networks': (query) => {
      const all = running(dhcpd).networkCounts();
      const page = rowsPage(all, query, ({ counts: { free, total } }) => free / Math.max(1, total));
      return {
        total: page.total,
        networks: page.rows.map(({ network, counts }) => ({ network, ...counts })),
      };
    },
    '/leases': (query) => leasePage(running(dhcpd), readLeaseQuery(query)),
  };
}

/** The verbs of the control socket besides GET /status. */
export function dhcpdRoutes(
  dhcpd: MaybeDhcpd,
  history: () => LeaseHistory | undefined,
  names: () => ShownNames | undefined,
): ControlRoute[] {
  return [
    {
      method: 'POST',
      path: '/explain',
      handle: ({ body }) => explainClient(running(dhcpd), body),
    },
    {
      method: 'GET',
      path: '/leases',
      handle: ({ query }) => leasePage(running(dhcpd), readLeaseQuery(query)),
    },
    {
      method: 'POST',
      path: '/lease/release',
      handle: ({ body }) => releaseLease(running(dhcpd), body),
    },
    {
      method: 'GET',
      path: '/lease/history',
      handle: ({ query }) => {
        const log = history();
        if (log !== undefined) return log.page(query);
        throw notOpen();
      },
    },
    {
      method: 'GET',
      path: '/names',
      handle: ({ query }) => {
        const shown = names();
        if (shown !== undefined) return namesPage(shown, query);
        throw notOpen();
      },
    },
  ];
}

function notOpen(): OperationalError {
  return new OperationalError('EDGE_DHCPD_STARTING', 'the store is not open yet');
}
