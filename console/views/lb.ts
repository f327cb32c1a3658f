// Load balancing: listeners, routes and virtual servers with what goes through them. Pure.
import { fields, list, name, number, rows, text } from '../collect/shapes.ts';
import type { SiteReading } from '../collect/types.ts';
import { isRated, pagesOf, ratesBy } from './sums.ts';
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

/** Of the requests of a route: with more than that failed, it is named. */
const MANY_ERRORS = 0.01;

type Labels = Readonly<Record<string, string>>;
const isFailure = ({ status }: Labels) => status === '5' || status === '0';

export function lbSection(site: SiteReading): Section {
  const listeners = listenerRows(site);
  const routes = routeRows(site);
  return {
    id: 'lb',
    title: 'Load balancing',
    tables: [routeTable(routes), listenerTable(listeners), serverTable(site)],
    problems: [
      ...problemsOf('lb', listeners, ({ values }) => ({
        what: `listener ${values.listener} is not open everywhere`,
        why: String(values.problem),
      })),
      ...problemsOf('lb', routes, ({ values }) => ({
        what: `requests of route ${values.route} fail`,
        why: `${(Number(values.errorPart) * 100).toPrecision(2)} % of them, now`,
      })),
    ],
  };
}

/** Rows of all instances by id: the first one's words, and `merge` adds the others'. */
function merged(
  site: SiteReading,
  page: string,
  key: string,
  toRow: (row: ReturnType<typeof fields>, node: string) => Row,
  merge: (known: Row, next: Row) => Row,
): Row[] {
  const found = new Map<string, Row>();
  for (const { node, page: told } of pagesOf(site, 'lb', page)) {
    for (const each of rows(fields(told)[page])) {
      const next = toRow(each, name(node));
      const id = String(next.values[key]);
      const known = found.get(id);
      found.set(id, known === undefined ? next : merge(known, next));
    }
  }
  return [...found.values()];
}

function added(keys: readonly string[]) {
  return (known: Row, next: Row): Row => {
    const sums = keys.map((key) => [key, Number(known.values[key]) + Number(next.values[key])]);
    const worst = next.level === 'bad' ? next : known;
    return { level: worst.level, values: { ...worst.values, ...Object.fromEntries(sums) } };
  };
}

function listenerRows(site: SiteReading): Row[] {
  const accepted = ratesBy(site, 'edge_lb_connections_total', ({ listener, outcome }) =>
    outcome === 'accepted' ? listener : undefined,
  );
  const bytes = ratesBy(site, 'edge_lb_bytes_total', ({ listener }) => listener);
  const all = merged(
    site,
    'listeners',
    'listener',
    (row, node) => {
      const problem = text(row.problem);
      const level: Level = problem === '' ? 'ok' : 'bad';
      return {
        level,
        values: {
          listener: name(row.listener),
          protocol: name(row.protocol),
          at: list(row.at),
          state: problem === '' ? 'open' : 'closed',
          problem: problem === '' ? null : `${node}: ${problem}`,
          open: number(row.open) ?? 0,
          shed: number(row.shed) ?? 0,
        },
      };
    },
    added(['open', 'shed']),
  );
  return worstFirst(
    all.map(({ level, values }) => {
      const listener = String(values.listener);
      const connectionsPerSecond = accepted.get(listener) ?? null;
      const perSecond = bytes.get(listener);
      const bitsPerSecond = perSecond === undefined ? null : perSecond * 8;
      return { level, values: { ...values, connectionsPerSecond, bitsPerSecond } };
    }),
    byNumber('open'),
  );
}

function listenerTable(listeners: readonly Row[]): Table {
  return {
    id: 'listeners',
    title: 'Listeners',
    columns: [
      column('listener', 'listener'),
      column('protocol', 'protocol'),
      column('state', 'state', 'level'),
      column('problem', 'what is wrong'),
      column('at', 'at'),
      column('open', 'open', 'count'),
      column('connectionsPerSecond', 'connections', 'rate'),
      column('bitsPerSecond', 'traffic', 'bits'),
      column('shed', 'shed', 'count'),
    ],
    rows: listeners,
    total: listeners.length,
    empty: 'There is no listener.',
  };
}

function routeRows(site: SiteReading): Row[] {
  const requests = ratesBy(site, 'edge_lb_requests_total', ({ route }) => route);
  const failures = ratesBy(site, 'edge_lb_requests_total', (labels) =>
    isFailure(labels) ? labels.route : undefined,
  );
  const none = isRated(site, 'lb') ? 0 : null;
  const all = merged(
    site,
    'routes',
    'route',
    (row) => ({
      level: 'ok',
      values: {
        route: name(row.route),
        hosts: list(row.hosts) || 'any',
        paths: list(row.paths) || 'any',
        to: name(row.to),
        requests: number(row.requests) ?? 0,
        errors: number(row.errors) ?? 0,
      },
    }),
    added(['requests', 'errors']),
  );
  const rated = all.map(({ values }): Row => {
    const route = String(values.route);
    const requestsPerSecond = requests.get(route) ?? none;
    const errorsPerSecond = failures.get(route) ?? (requestsPerSecond === null ? null : 0);
    const errorPart = requestsPerSecond ? (errorsPerSecond ?? 0) / requestsPerSecond : null;
    const state = (errorPart ?? 0) >= MANY_ERRORS ? 'fails' : 'ok';
    const level: Level = state === 'ok' ? 'ok' : (errorPart ?? 0) >= 0.5 ? 'bad' : 'warn';
    return { level, values: { ...values, state, requestsPerSecond, errorsPerSecond, errorPart } };
  });
  return worstFirst(rated, byNumber('requestsPerSecond'));
}

function routeTable(routes: readonly Row[]): Table {
  return {
    id: 'routes',
    title: 'Routes',
    columns: [
      column('route', 'route'),
      column('state', 'state', 'level'),
      column('hosts', 'hosts'),
      column('paths', 'paths'),
      column('to', 'to'),
      column('requestsPerSecond', 'requests', 'rate'),
      column('errorsPerSecond', 'failed', 'rate'),
      column('requests', 'since the start', 'count'),
      column('errors', 'of them failed', 'count'),
    ],
    rows: routes,
    total: routes.length,
    empty: 'There is no route.',
  };
}

function serverTable(site: SiteReading): Table {
  const rates = ratesBy(
    site,
    'edge_lb_server_bytes_total',
    ({ server, direction }) => `${server} ${direction}`,
  );
  const flows = ratesBy(site, 'edge_lb_server_connections_total', ({ server }) => server);
  const bits = (key: string) => {
    const bytes = rates.get(key);
    return bytes === undefined ? null : bytes * 8;
  };
  const all = merged(
    site,
    'servers',
    'server',
    (row) => {
      const server = name(row.server);
      return {
        level: 'ok',
        values: {
          server,
          pool: name(row.pool),
          mode: name(row.mode),
          hash: name(row.hash),
          inBitsPerSecond: bits(`${server} in`),
          outBitsPerSecond: bits(`${server} out`),
          flowsPerSecond: flows.get(server) ?? null,
          flows: number(row.flows) ?? 0,
        },
      };
    },
    added(['flows']),
  );
  return {
    id: 'servers',
    title: 'Virtual servers (L4)',
    columns: [
      column('server', 'at'),
      column('pool', 'pool'),
      column('mode', 'mode'),
      column('hash', 'hash'),
      column('inBitsPerSecond', 'in', 'bits'),
      column('outBitsPerSecond', 'out', 'bits'),
      column('flowsPerSecond', 'new flows', 'rate'),
      column('flows', 'flows since the start', 'count'),
    ],
    rows: worstFirst(all, byNumber('inBitsPerSecond')),
    total: all.length,
    empty: 'There is no virtual server.',
  };
}
