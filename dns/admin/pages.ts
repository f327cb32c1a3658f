// What a dns shows of itself: the status page and its JSON, and the verbs of the control socket.
import type { ControlRoute } from '../../shared/admin/control.ts';
import type { Cell, StatusTable, StatusView } from '../../shared/admin/page.ts';
import { rowsPage } from '../../shared/admin/rows-page.ts';
import type { JsonPages } from '../../shared/admin/server.ts';
import { OperationalError } from '../../shared/errors.ts';
import { addressText, prefixText } from '../answer/address-text.ts';
import { totalsOf } from '../answer/counters.ts';
import { topUnknownClients } from '../answer/unknown-clients.ts';
import type { DnsConfig } from '../config.ts';
import type { TargetRow } from '../health-of-pools.ts';
import { reportText } from '../lines/hygiene-text.ts';
import { lineOf, lookup, scopeOf } from '../lines/lookup.ts';
import { SERVICE } from '../name.ts';
import type { DnsService } from '../service.ts';
import type { WaysIn } from '../ways-in.ts';
import { explainName } from './explain-name.ts';
import { readAddress } from './question.ts';
import { zonePage, zoneRows, zoneVersions } from './zone-pages.ts';

const UNKNOWN_SHOWN = 100;

/** Undefined until they have been made. */
export type Running = { dns: DnsService; ways: WaysIn } | undefined;

export function statusJson(config: DnsConfig, running: Running): unknown {
  const identity = { service: SERVICE, node: config.node };
  if (running === undefined) return { ...identity, state: 'starting' };
  const { dns, ways } = running;
  const { presence, follower, applied, lines } = dns;
  const totals = totalsOf(ways.counters, dns.serving.state.lines.lines);
  const flat = (rows: readonly { value: number; labels: Readonly<Record<string, string>> }[]) =>
    Object.fromEntries(rows.map(({ value, labels }) => [Object.values(labels).join(' '), value]));
  return {
    ...identity,
    version: dns.options.version,
    state: presence.state,
    startedAt: new Date(presence.startedAt).toISOString(),
    checks: presence.checks(),
    units: follower.unitsJson(applied),
    drift: dns.drift,
    zones: zoneRows(dns),
    homelessRecords: dns.zones.homeless,
    smartRecords: dns.plan?.smart.length ?? 0,
    lines: lines.inForce.tree.lines,
    lineFiles: lines.fileProblems,
    health: dns.options.health.status(),
    secondaries: dns.transfers.secondaries.status(),
    transfers: dns.transfers.counts,
    canary: presence.canaryProblem ?? 'passed',
    received: flat(totals.received),
    outcomes: flat(totals.outcomes),
    responses: flat(totals.responses),
    lineAnswers: flat(totals.lines),
    dropped: Object.fromEntries(ways.dropped()),
    connections: ways.connections(),
    receivedByThread: ways.udp.receivedByThread,
  };
}

export function statusView(config: DnsConfig, version: string, running: Running): StatusView {
  const head = { service: SERVICE, node: config.node, version };
  if (running === undefined) {
    return { ...head, state: { text: 'starting', level: 'warn' }, facts: [], tables: [] };
  }
  const { dns, ways } = running;
  const { state, canaryProblem } = dns.presence;
  const { drift, applied, follower } = dns;
  const store = follower.own.status();
  const facts: [string, Cell][] = [
    ['site', `version ${applied.dns} of ${store.desiredVersion}`],
    ['pools', `version ${applied.pools} of ${follower.pools.status().desiredVersion}`],
    ['drift', drift.length > 0 ? { text: drift.join('; '), level: 'bad' } : 'none'],
    ['store', store.storeUp ? 'answers' : { text: 'does not answer', level: 'warn' }],
    ['lines', dns.lines.inForce.tree.lines.length],
    ['records by line', dns.plan?.smart.length ?? 0],
    ['canary', canaryProblem ? { text: canaryProblem, level: 'bad' } : 'answered itself'],
  ];
  const level = state === 'running' ? 'ok' : state === 'not-ready' ? 'bad' : 'warn';
  const tables = [zoneTable(dns), targetTable(dns), outcomeTable(dns, ways)];
  return { ...head, state: { text: state, level }, facts, tables };
}

function zoneTable(dns: DnsService): StatusTable {
  const rows = zoneRows(dns).map(
    ({ zone, source, serial, records, problems, warnings }): Cell[] => [
      zone,
      source ?? '-',
      serial ?? '-',
      records,
      problems[0] !== undefined
        ? { text: problems[0], level: 'bad' }
        : warnings[0] !== undefined
          ? { text: warnings[0], level: 'warn' }
          : { text: 'served', level: 'ok' },
    ],
  );
  return { title: 'Zones', columns: ['zone', 'from', 'serial', 'records', 'state'], rows };
}

function targetTable(dns: DnsService): StatusTable {
  const rows = dns
    .targetRows()
    .map(({ pool, address, state, why }): Cell[] => [
      pool,
      address,
      { text: state, level: state === 'down' ? 'bad' : state === 'up' ? 'ok' : 'warn' },
      why,
    ]);
  return { title: 'Targets', columns: ['pool', 'address', 'state', 'why'], rows };
}

function outcomeTable(dns: DnsService, ways: WaysIn): StatusTable {
  const { outcomes } = totalsOf(ways.counters, dns.serving.state.lines.lines);
  const rows = outcomes
    .filter(({ value }) => value > 0)
    .map(({ value, labels }): Cell[] => [labels.outcome ?? '', value]);
  return { title: 'Messages', columns: ['what became of them', 'count'], rows };
}

function running(found: Running): { dns: DnsService; ways: WaysIn } {
  if (found !== undefined) return found;
  throw new OperationalError('EDGE_DNS_STARTING', 'the daemon is starting');
}

/** What is read-only, for `edgectl zone version` and a console. */
export function dnsPages(found: () => Running): JsonPages {
  const rank = { down: 0, unknown: 1, unchecked: 3, up: 3 } as const;
  return {
    '/zones': (query) => zoneVersions(running(found()).dns, query.getAll('zone')),
    '/health': (query) => {
      const all = running(found()).dns.targetRows();
      const page = rowsPage(all, query, ({ state, override }) =>
        override === null ? rank[state] : Math.min(rank[state], 2),
      );
      return { total: page.total, targets: page.rows.map(targetJson) };
    },
  };
}

export function dnsRoutes(found: () => Running): ControlRoute[] {
  const dns = () => running(found()).dns;
  return [
    { method: 'POST', path: '/explain', handle: ({ body }) => explainName(dns(), body) },
    { method: 'GET', path: '/zones', handle: () => ({ zones: zoneRows(dns()) }) },
    { method: 'GET', path: '/zone', handle: ({ query }) => zonePage(dns(), query) },
    { method: 'GET', path: '/lines', handle: () => linesPage(dns()) },
    { method: 'GET', path: '/line', handle: ({ query }) => linePage(dns(), query) },
    {
      method: 'GET',
      path: '/health',
      handle: () => ({ targets: dns().targetRows().map(targetJson) }),
    },
    {
      method: 'GET',
      path: '/unknown-clients',
      handle: () => {
        const { ways } = running(found());
        return { clients: topUnknownClients(ways.unknownClients, UNKNOWN_SHOWN) };
      },
    },
  ];
}

function targetJson({ sinceMs, ...row }: TargetRow): unknown {
  return { ...row, since: sinceMs === 0 ? null : new Date(sinceMs).toISOString() };
}

function linesPage({ lines }: DnsService): unknown {
  const { report, tree, fallbacks } = lines.inForce;
  return {
    lines: tree.lines.map((name) => ({ name, fallback: [...(fallbacks.get(name) ?? [])] })),
    report: report ?? null,
    text: report === undefined ? [] : reportText(report),
    problems: lines.fileProblems,
    refused: lines.refused,
  };
}

function linePage({ serving }: DnsService, query: URLSearchParams): unknown {
  const address = readAddress(query.get('address'));
  const { lines } = serving.state;
  const found = lookup(lines, address.length === 4 ? 4 : 6, address);
  return {
    address: addressText(address),
    line: lines.lines[lineOf(found)] ?? null,
    prefix: prefixText(address, scopeOf(found)),
    scope: scopeOf(found),
  };
}
