// The Grafana dashboard (schema of Grafana 10 and 11) as a table: rows of panels, each with its
// queries. `node deploy/monitoring/dashboard.ts` writes dashboard.json; a test holds the two equal.
import { writeFileSync } from 'node:fs';

const COLUMNS = 24;
const HEIGHT = 7;
const PRIMITIVES = /\[\n\s+([^[\]{}]*?)\n\s+\]/g;

type Unit = 'short' | 'percentunit' | 's' | 'bytes' | 'bps' | 'pps' | 'reqps' | 'ops' | 'd';
type Query = readonly [expression: string, legend: string];
type Panel = { title: string; unit: Unit; kind?: 'stat'; queries: readonly Query[] };
type Row = { title: string; panels: readonly Panel[] };

/** Of the nodes that are chosen. */
const N = 'node=~"$node"';

export const ROWS: readonly Row[] = [
  {
    title: 'Overview',
    panels: [
      panel('Ready', 'short', [[`sum by (job) (edge_ready{${N}})`, '{{job}}']], 'stat'),
      panel('Refuse what is stored', 'short', [[`sum(edge:drift:max{${N}})`, 'instances']], 'stat'),
      panel('Reach Redis', 'short', [[`sum by (job) (edge_store_up{${N}})`, '{{job}}']], 'stat'),
      panel('Versions behind', 'short', [[`edge:versions_behind:max{${N}}`, '{{job}} {{node}}']]),
      panel('Since known to equal the store', 's', [
        [`edge_snapshot_age_seconds{${N}}`, '{{job}} {{node}}'],
      ]),
    ],
  },
  {
    title: 'natter',
    panels: [
      panel('Packets by what became of them', 'pps', [
        [`sum by (reason) (rate(edge_natter_packets_total{${N}}[$__rate_interval]))`, '{{reason}}'],
      ]),
      panel('Bits a second', 'bps', [
        [`8 * sum by (node) (rate(edge_natter_bytes_total{${N}}[$__rate_interval]))`, '{{node}}'],
      ]),
      panel('Drops', 'pps', [[`edge:natter_drops:rate5m{${N}}`, '{{node}} {{reason}}']]),
      panel('Drops by limits', 'pps', [
        [`edge:natter_limit_drops:rate5m{${N}}`, '{{node}} {{reason}}'],
      ]),
      panel('Maps, how full', 'percentunit', [
        [
          `edge_natter_map_entries{${N}} / edge_natter_map_capacity_entries{${N}}`,
          '{{node}} {{map}}',
        ],
      ]),
    ],
  },
  {
    title: 'dhcpd',
    panels: [
      panel('Messages by what became of them', 'ops', [
        [`sum by (reason) (rate(edge_dhcpd_messages_total{${N}}[$__rate_interval]))`, '{{reason}}'],
      ]),
      panel('Networks, how full', 'percentunit', [['edge:dhcpd_pool_used:ratio', '{{network}}']]),
      panel('Leases held', 'short', [
        [`max by (network) (edge_dhcpd_leases_bound{${N}})`, '{{network}}'],
      ]),
      panel('Lease changes, and what failed', 'ops', [
        [`rate(edge_dhcpd_lease_changes_total{${N}}[$__rate_interval])`, '{{node}}'],
        [`rate(edge_dhcpd_lease_commits_failed_total{${N}}[$__rate_interval])`, '{{node}} failed'],
      ]),
    ],
  },
  {
    title: 'dns',
    panels: [
      panel('Answers by rcode', 'reqps', [
        [`sum by (rcode) (rate(edge_dns_responses_total{${N}}[$__rate_interval]))`, '{{rcode}}'],
      ]),
      panel('SERVFAIL', 'percentunit', [[`edge:dns_servfail:ratio_rate5m{${N}}`, '{{node}}']]),
      panel('Answers by line', 'reqps', [
        [`sum by (line) (rate(edge_dns_line_answers_total{${N}}[$__rate_interval]))`, '{{line}}'],
      ]),
      panel('Targets by state', 'short', [
        [`max by (state) (edge_dns_targets{${N}})`, '{{state}}'],
      ]),
      panel('Lost and refused', 'pps', [
        [`sum by (reason) (rate(edge_dns_io_dropped_total{${N}}[$__rate_interval]))`, '{{reason}}'],
      ]),
    ],
  },
  {
    title: 'lb',
    panels: [
      panel('Requests by listener', 'reqps', [[`edge:lb_requests:rate5m{${N}}`, '{{listener}}']]),
      panel('Errors (5xx)', 'percentunit', [
        [`edge:lb_errors:ratio_rate5m{${N}}`, '{{node}} {{listener}}'],
      ]),
      panel('Time of a request', 's', [
        [quantile(0.5), 'half'],
        [quantile(0.99), '99 of 100'],
      ]),
      panel('Pools, part that is up', 'percentunit', [
        [`edge:lb_pool_up:ratio{${N}}`, '{{node}} {{pool}}'],
      ]),
      panel('Open connections', 'short', [
        [`sum by (listener) (edge_lb_connections{${N}})`, '{{listener}}'],
      ]),
      panel('Virtual servers, bits a second', 'bps', [
        [
          `8 * sum by (server) (rate(edge_lb_server_bytes_total{${N}}[$__rate_interval]))`,
          '{{server}}',
        ],
      ]),
      panel('Days that certificates last', 'd', [
        [
          `min by (certificate) (edge_lb_certificate_ends_seconds{${N}} - time()) / 86400`,
          '{{certificate}}',
        ],
      ]),
    ],
  },
  {
    title: 'Daemons',
    panels: [
      panel('Cores', 'short', [
        [
          `rate(process_cpu_seconds_total{job=~"edge-.+", ${N}}[$__rate_interval])`,
          '{{job}} {{node}}',
        ],
      ]),
      panel('Memory', 'bytes', [
        [`process_resident_memory_bytes{job=~"edge-.+", ${N}}`, '{{job}} {{node}}'],
      ]),
      panel('Loops stand still', 's', [
        [`edge_event_loop_lag_seconds{${N}}`, '{{job}} {{node}}'],
        [`edge_lb_worker_loop_lag_seconds{${N}}`, 'worker {{worker}} of {{node}}'],
      ]),
      panel('Events in logs', 'ops', [
        [
          `topk(10, sum by (event) (rate(edge_log_events_total{${N}}[$__rate_interval])))`,
          '{{event}}',
        ],
      ]),
    ],
  },
];

function panel(title: string, unit: Unit, queries: readonly Query[], kind?: 'stat'): Panel {
  return { title, unit, queries, ...(kind === undefined ? {} : { kind }) };
}

function quantile(part: number): string {
  const rate = `rate(edge_lb_requests_within_total{${N}}[$__rate_interval])`;
  return `histogram_quantile(${part}, sum by (le) (${rate}))`;
}

const DATASOURCE = { type: 'prometheus', uid: '$' + '{datasource}' };

type Place = { x: number; y: number };

function panelJson({ title, unit, kind, queries }: Panel, id: number, { x, y }: Place) {
  const isStat = kind === 'stat';
  return {
    id,
    type: isStat ? 'stat' : 'timeseries',
    title,
    datasource: DATASOURCE,
    gridPos: { x, y, w: widthOf(kind), h: HEIGHT },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options: isStat
      ? { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false } }
      : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } },
    targets: queries.map(([expr, legendFormat], at) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + at),
      datasource: DATASOURCE,
      expr,
      legendFormat,
    })),
  };
}

const widthOf = (kind: Panel['kind']) => (kind === 'stat' ? 4 : 6);

/** A heading and its panels, line by line; `y`: the line below the last. */
function layOut(): object[] {
  const panels: object[] = [];
  let y = 0;
  for (const row of ROWS) {
    const heading = { id: panels.length + 1, type: 'row', title: row.title, collapsed: false };
    panels.push({ ...heading, gridPos: { x: 0, y, w: COLUMNS, h: 1 }, panels: [] });
    y += 1;
    let x = 0;
    for (const each of row.panels) {
      if (x + widthOf(each.kind) > COLUMNS) [x, y] = [0, y + HEIGHT];
      panels.push(panelJson(each, panels.length + 1, { x, y }));
      x += widthOf(each.kind);
    }
    y += HEIGHT;
  }
  return panels;
}

export function dashboardJson(): string {
  const dashboard = {
    uid: 'edgeplane',
    title: 'Edgeplane',
    tags: ['edgeplane'],
    schemaVersion: 38,
    version: 1,
    editable: true,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    timezone: 'browser',
    templating: {
      list: [
        {
          name: 'datasource',
          type: 'datasource',
          query: 'prometheus',
          label: 'Prometheus',
          hide: 0,
        },
        {
          name: 'node',
          type: 'query',
          label: 'Node',
          datasource: DATASOURCE,
          query: { query: 'label_values(edge_build_info, node)', refId: 'node' },
          includeAll: true,
          allValue: '.*',
          multi: true,
          refresh: 2,
          sort: 1,
          hide: 0,
        },
      ],
    },
    annotations: { list: [] },
    links: [],
    panels: layOut(),
  };
  // Lists of words in one line, as the formatter of this project has them.
  const text = JSON.stringify(dashboard, null, 2).replace(
    PRIMITIVES,
    (_, words: string) => `[${words.split(/\n\s+/).join(' ')}]`,
  );
  return `${text}\n`;
}

if (import.meta.main) writeFileSync(new URL('dashboard.json', import.meta.url), dashboardJson());
