// The plots of the last hour: of which metrics each is made, and how its lines are called. One line
// of this table is one more plot. Pure.
import type { Rated } from './rates.ts';

export type Unit = 'bits' | 'rate' | 'count' | 'percent' | 'bytes' | 'seconds';
type Who = { service: string; node: string };
type Labels = Readonly<Record<string, string>>;

export type PlotSpec = {
  id: string;
  section: string;
  title: string;
  unit: Unit;
  metric: string;
  /** What is plotted: how fast a counter grows, or a gauge. */
  of: 'rate' | 'gauge' | 'quantiles';
  times?: number;
  /** The line that a sample belongs to, where samples are added up; undefined: to none. */
  lineOf: (labels: Labels, who: Who) => string | undefined;
};

const daemon = (_: Labels, { service, node }: Who) => `${service}/${node}`;
const label = (name: string) => (labels: Labels) => labels[name];

/** Of what natter counts by reason: towards the VMs, or from them. */
function direction({ reason = '' }: Labels): string | undefined {
  if (reason.startsWith('IN_')) return 'in';
  if (reason.startsWith('OUT_')) return 'out';
  return reason.startsWith('HAIRPIN_') ? 'VM to VM' : undefined;
}

function drop({ reason = '' }: Labels): string | undefined {
  return reason.startsWith('DROP_')
    ? reason.slice(5).toLowerCase().replaceAll('_', ' ')
    : undefined;
}

const EXCHANGES: readonly (readonly [prefix: string, name: string])[] = [
  ['offered', 'offers'],
  ['l3-offered', 'offers'],
  ['acked-renewal', 'renewals'],
  ['acked', 'acknowledged'],
  ['l3-acked', 'acknowledged'],
  ['nak', 'refused'],
  ['released', 'released'],
  ['declined', 'declined'],
];

/** By kind of answer; what is silent for a reason of the cluster (bucket, duplicate) is no line. */
function exchange({ reason = '' }: Labels): string | undefined {
  if (reason === 'offered-none') return undefined;
  return EXCHANGES.find(([prefix]) => reason.startsWith(prefix))?.[1];
}

const statusClass = ({ status }: Labels) => (status === '0' ? 'no answer' : `${status}xx`);
const failure = ({ status, cause }: Labels) =>
  status === '5' || status === '0' ? cause : undefined;

export const PLOTS: readonly PlotSpec[] = [
  {
    id: 'natter-bits',
    section: 'eips',
    title: 'Traffic',
    unit: 'bits',
    metric: 'edge_natter_bytes_total',
    of: 'rate',
    times: 8,
    lineOf: direction,
  },
  {
    id: 'natter-packets',
    section: 'eips',
    title: 'Packets',
    unit: 'rate',
    metric: 'edge_natter_packets_total',
    of: 'rate',
    lineOf: direction,
  },
  {
    id: 'natter-drops',
    section: 'eips',
    title: 'Drops by reason',
    unit: 'rate',
    metric: 'edge_natter_packets_total',
    of: 'rate',
    lineOf: drop,
  },
  {
    id: 'dhcpd-messages',
    section: 'dhcp',
    title: 'Exchanges',
    unit: 'rate',
    metric: 'edge_dhcpd_messages_total',
    of: 'rate',
    lineOf: exchange,
  },
  {
    id: 'dns-lines',
    section: 'dns',
    title: 'Answers by line',
    unit: 'rate',
    metric: 'edge_dns_line_answers_total',
    of: 'rate',
    lineOf: label('line'),
  },
  {
    id: 'dns-rcodes',
    section: 'dns',
    title: 'Answers by rcode',
    unit: 'rate',
    metric: 'edge_dns_responses_total',
    of: 'rate',
    lineOf: label('rcode'),
  },
  {
    id: 'dns-received',
    section: 'dns',
    title: 'Messages received',
    unit: 'rate',
    metric: 'edge_dns_messages_received_total',
    of: 'rate',
    lineOf: label('transport'),
  },
  {
    id: 'lb-requests',
    section: 'lb',
    title: 'Requests by status',
    unit: 'rate',
    metric: 'edge_lb_requests_total',
    of: 'rate',
    lineOf: statusClass,
  },
  {
    id: 'lb-errors',
    section: 'lb',
    title: 'Failed requests by cause',
    unit: 'rate',
    metric: 'edge_lb_requests_total',
    of: 'rate',
    lineOf: failure,
  },
  {
    id: 'lb-latency',
    section: 'lb',
    title: 'Time from request to its end',
    unit: 'seconds',
    metric: 'edge_lb_requests_within_total',
    of: 'quantiles',
    lineOf: label('le'),
  },
  {
    id: 'lb-connections',
    section: 'lb',
    title: 'Open connections',
    unit: 'count',
    metric: 'edge_lb_connections',
    of: 'gauge',
    lineOf: label('listener'),
  },
  {
    id: 'lb-l4-bits',
    section: 'lb',
    title: 'Traffic of virtual servers',
    unit: 'bits',
    metric: 'edge_lb_server_bytes_total',
    of: 'rate',
    times: 8,
    lineOf: label('direction'),
  },
  {
    id: 'daemon-cpu',
    section: 'nodes',
    title: 'CPU',
    unit: 'percent',
    metric: 'process_cpu_seconds_total',
    of: 'rate',
    times: 100,
    lineOf: daemon,
  },
  {
    id: 'daemon-rss',
    section: 'nodes',
    title: 'Memory',
    unit: 'bytes',
    metric: 'process_resident_memory_bytes',
    of: 'gauge',
    lineOf: daemon,
  },
  {
    id: 'daemon-lag',
    section: 'nodes',
    title: 'Longest stall of the event loop',
    unit: 'seconds',
    metric: 'edge_event_loop_lag_seconds',
    of: 'gauge',
    lineOf: daemon,
  },
];

/** What members' pages are searched for, besides what tables want. */
export const WANTED: ReadonlySet<string> = new Set(PLOTS.map(({ metric }) => metric));

export type MemberSamples = Who & { rated: readonly Rated[] };

const QUANTILES = [
  ['half within', 0.5],
  ['99 of 100 within', 0.99],
] as const;

/** The value of each line of a plot now, over all members. */
export function linesOf(spec: PlotSpec, members: readonly MemberSamples[]): Map<string, number> {
  const lines = new Map<string, number>();
  for (const { rated, ...who } of members) {
    for (const { name, labels, value, perSecond } of rated) {
      if (name !== spec.metric) continue;
      const line = spec.lineOf(labels, who);
      const now = spec.of === 'gauge' ? value : perSecond;
      if (line === undefined || now === undefined) continue;
      lines.set(line, (lines.get(line) ?? 0) + now * (spec.times ?? 1));
    }
  }
  return spec.of === 'quantiles' ? quantilesOf(lines) : lines;
}

/** From how many a second ended within so many seconds: the upper bounds of some quantiles. */
export function quantilesOf(within: ReadonlyMap<string, number>): Map<string, number> {
  const bounds = [...within]
    .map(([le, count]) => ({ le: le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), count }))
    .sort((a, b) => a.le - b.le);
  const total = bounds.at(-1)?.count ?? 0;
  const found = new Map<string, number>();
  if (total <= 0) return found;
  for (const [name, part] of QUANTILES) {
    const bound = bounds.find(({ count }) => count >= total * part);
    if (bound !== undefined && Number.isFinite(bound.le)) found.set(name, bound.le);
  }
  return found;
}
