// What an lb shows of itself: the status page and its JSON, and the verbs of the control socket.
import type { ControlRoute } from '../../shared/admin/control.ts';
import type { Cell, StatusTable, StatusView } from '../../shared/admin/page.ts';
import { rowsPage } from '../../shared/admin/rows-page.ts';
import type { JsonPages } from '../../shared/admin/server.ts';
import { OperationalError } from '../../shared/errors.ts';
import type { LbConfig } from '../config.ts';
import { SERVICE } from '../name.ts';
import type { LbService } from '../service.ts';
import type { Totals } from '../workers/totals.ts';
import { explainHttp } from './explain-http.ts';
import { impactOf } from './impact.ts';
import { listenerRows, poolRows, routeRows, serverRows, targetRows, totals } from './rows.ts';

/** Undefined until it has been made. */
export type Running = LbService | undefined;

export function statusJson(config: LbConfig, lb: Running): unknown {
  const identity = { service: SERVICE, node: config.node };
  if (lb === undefined) return { ...identity, state: 'starting' };
  const { presence, follower, applied, options } = lb;
  const { workers, vips } = options;
  const all = totals(lb);
  return {
    ...identity,
    version: options.version,
    state: presence.state,
    startedAt: new Date(presence.startedAt).toISOString(),
    checks: presence.checks(),
    units: follower.unitsJson(applied),
    drift: lb.drift,
    servers: serverRows(lb),
    listeners: listenerRows(lb, all),
    routes: routeRows(lb, all),
    pools: poolRows(lb, all),
    targets: targetRows(lb, all),
    requests: all.requests,
    vips: { addresses: vips.addresses, problem: vips.problem ?? null },
    workers: workers.all.map(({ index, child, restarts, applied: version, stats }) => ({
      worker: index,
      pid: child?.pid ?? null,
      version: version ?? null,
      restarts,
      rssBytes: stats?.rssBytes ?? null,
      loopLagMs: stats?.loopLagMs ?? null,
    })),
    l4: options.l4?.status() ?? null,
    health: options.health.status(),
  };
}

export function statusView(config: LbConfig, version: string, lb: Running): StatusView {
  const head = { service: SERVICE, node: config.node, version };
  if (lb === undefined) {
    return { ...head, state: { text: 'starting', level: 'warn' }, facts: [], tables: [] };
  }
  const { state } = lb.presence;
  const { drift, applied, follower, options } = lb;
  const store = follower.own.status();
  const { workers } = options;
  const facts: [string, Cell][] = [
    ['site', `version ${applied.lb} of ${store.desiredVersion}`],
    ['pools', `version ${applied.pools} of ${follower.pools.status().desiredVersion}`],
    ['drift', drift.length > 0 ? { text: drift.join('; '), level: 'bad' } : 'none'],
    ['store', store.storeUp ? 'answers' : { text: 'does not answer', level: 'warn' }],
    ['workers', `${workers.running} of ${workers.all.length} run`],
  ];
  const level = state === 'running' ? 'ok' : state === 'not-ready' ? 'bad' : 'warn';
  const all = totals(lb);
  const tables = [
    targetTable(lb, all),
    listenerTable(lb, all),
    routeTable(lb, all),
    serverTable(lb),
    causeTable(all),
  ].filter(({ rows }) => rows.length > 0);
  return { ...head, state: { text: state, level }, facts, tables };
}

/** The worst first. */
function targetTable(lb: LbService, all: Totals): StatusTable {
  const rank = { down: 0, drain: 1, up: 2 } as const;
  const sorted = targetRows(lb, all).sort((a, b) => rank[a.health] - rank[b.health]);
  const rows = sorted.map((row): Cell[] => {
    const { pool, target, health, weightNow, open, requests, failures, why, skipped } = row;
    const bad = health === 'down' || skipped === 'ejected';
    const text = skipped === 'ejected' ? 'ejected' : health;
    const mood = bad ? 'bad' : health === 'up' ? 'ok' : 'warn';
    return [pool, target, { text, level: mood }, weightNow, open, requests, failures, why];
  });
  const columns = ['pool', 'target', 'state', 'weight', 'open', 'requests', 'failed', 'why'];
  return { title: 'Targets', columns, rows };
}

function listenerTable(lb: LbService, all: Totals): StatusTable {
  const rows = listenerRows(lb, all).map(
    ({ listener, protocol, at, open, accepted, shed, problem }) => [
      listener,
      protocol,
      at.join(', '),
      open,
      accepted,
      shed,
      problem === null ? ({ text: 'open', level: 'ok' } as const) : bad(problem),
    ],
  );
  const columns = ['listener', 'protocol', 'at', 'open', 'accepted', 'shed', 'state'];
  return { title: 'Listeners', columns, rows };
}

const bad = (text: string): Cell => ({ text, level: 'bad' });

function routeTable(lb: LbService, all: Totals): StatusTable {
  const rows = routeRows(lb, all)
    .sort((a, b) => b.errors - a.errors)
    .map(({ route, hosts, paths, to, requests, errors }) => [
      route,
      hosts.join(', ') || 'any',
      paths.join(', ') || 'any',
      to,
      requests,
      errors > 0 ? ({ text: String(errors), level: 'warn' } as const) : 0,
    ]);
  const columns = ['route', 'hosts', 'paths', 'to', 'requests', 'errors'];
  return { title: 'Routes', columns, rows };
}

function serverTable(lb: LbService): StatusTable {
  const rows = serverRows(lb).map((row) => [
    row.server,
    row.pool,
    row.mode,
    row.flows,
    row.bytesIn,
    row.bytesOut,
  ]);
  const columns = ['server', 'pool', 'mode', 'flows', 'bytes in', 'bytes out'];
  return { title: 'Virtual servers', columns, rows };
}

function causeTable(all: Totals): StatusTable {
  const counts = new Map<string, number>();
  for (const { cause, count } of all.requests) {
    counts.set(cause, (counts.get(cause) ?? 0) + count);
  }
  const rows = [...counts].sort((a, b) => b[1] - a[1]).map(([cause, count]) => [cause, count]);
  return { title: 'How requests ended', columns: ['cause', 'count'], rows };
}

function running(found: Running): LbService {
  if (found !== undefined) return found;
  throw new OperationalError('EDGE_LB_STARTING', 'the daemon is starting');
}

/** What is read-only, for a console: each bounded by `?limit=`, the worst first. */
export function lbPages(found: () => Running): JsonPages {
  const lb = () => running(found());
  const named = (name: string, { total, rows }: ReturnType<typeof rowsPage<unknown>>) => ({
    total,
    [name]: rows,
  });
  const health = { down: 0, drain: 2, up: 3 } as const;
  return {
    '/targets': (query) =>
      named(
        'targets',
        rowsPage(targetRows(lb()), query, (row) =>
          row.skipped === 'ejected' ? 1 : health[row.health],
        ),
      ),
    '/listeners': (query) =>
      named(
        'listeners',
        rowsPage(listenerRows(lb()), query, ({ problem }) => (problem === null ? 1 : 0)),
      ),
    '/routes': (query) =>
      named(
        'routes',
        rowsPage(routeRows(lb()), query, ({ errors, requests }) => -errors - requests / 1e15),
      ),
    '/servers': (query) =>
      named(
        'servers',
        rowsPage(serverRows(lb()), query, ({ bytesIn, bytesOut }) => -bytesIn - bytesOut),
      ),
    '/pools': (query) =>
      named(
        'pools',
        rowsPage(poolRows(lb()), query, ({ up, targets }) => up / Math.max(1, targets)),
      ),
  };
}

export function lbRoutes(found: () => Running): ControlRoute[] {
  const lb = () => running(found());
  return [
    {
      method: 'POST',
      path: '/explain',
      handle: ({ body }) => ('url' in Object(body) ? explainHttp : explainFlow)(lb(), body),
    },
    { method: 'POST', path: '/impact', handle: ({ body }) => impactOf(lb(), body) },
    { method: 'GET', path: '/targets', handle: () => ({ targets: targetRows(lb()) }) },
    { method: 'GET', path: '/listeners', handle: () => ({ listeners: listenerRows(lb()) }) },
    { method: 'GET', path: '/routes', handle: () => ({ routes: routeRows(lb()) }) },
    { method: 'GET', path: '/servers', handle: () => ({ servers: serverRows(lb()) }) },
    { method: 'GET', path: '/pools', handle: () => ({ pools: poolRows(lb()) }) },
  ];
}

function explainFlow({ options }: LbService, body: unknown): unknown {
  if (options.l4 !== undefined) return options.l4.explain(body);
  throw new OperationalError('EDGE_LB_NO_LINKS', 'this instance has no links for L4', {
    remedy: 'name links in l4.uplink and l4.inside',
  });
}
