// What the services export: metrics with their labels, and the values of labels that rules name.

import { dhcpdMetrics } from '../../../dhcpd/metrics.ts';
import { reasons } from '../../../dhcpd/reasons.ts';
import { dnsHealthMetrics, dnsMetrics } from '../../../dns/metrics.ts';
import { TRANSFER_OUTCOMES } from '../../../dns/transfer/counts.ts';
import { lbHealthMetrics, lbMetrics } from '../../../lb/metrics.ts';
import { REASONS } from '../../../natter/mapping/types.ts';
import { natterMetrics } from '../../../natter/metrics.ts';
import { rcodeName } from '../../../shared/dns/constants.ts';
import { everywhereMetrics, type MetricTable } from '../../../shared/metrics.ts';
import type { Matcher, Selector } from './promql.ts';

const TABLES: readonly MetricTable[] = [
  everywhereMetrics,
  natterMetrics,
  dhcpdMetrics,
  dnsMetrics,
  dnsHealthMetrics,
  lbMetrics,
  lbHealthMetrics,
];

/** What Prometheus, prom-client and node_exporter have, and we name. */
const OTHERS = [
  'up',
  'process_start_time_seconds',
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'node_timex_sync_status',
];

/** Of the target, by prometheus.yaml. */
export const TARGET_LABELS: readonly string[] = ['job', 'node', 'instance'];

export const METRICS: ReadonlyMap<string, readonly string[]> = new Map([
  ...OTHERS.map((name) => [name, []] as const),
  ...TABLES.flatMap((table) =>
    Object.values(table).map(({ name, labels = [] }) => [name, labels] as const),
  ),
]);

const VALUES: Readonly<Record<string, readonly string[]>> = {
  'edge_natter_packets_total reason': REASONS,
  'edge_dhcpd_messages_total reason': Object.keys(reasons),
  'edge_dns_responses_total rcode': Array.from({ length: 24 }, (_, code) => rcodeName(code)),
  'edge_dns_line_answers_total line': ['default'],
  'edge_dns_targets state': ['up', 'down', 'drain'],
  'edge_dns_health_mode mode': ['joining', 'shared', 'frozen', 'alone', 'settling'],
  'edge_lb_health_mode mode': ['joining', 'shared', 'frozen', 'alone', 'settling'],
  'edge_lb_requests_total status': ['0', '1', '2', '3', '4', '5'],
  'edge_lb_connections_total outcome': ['accepted', 'shed', 'denied'],
  'edge_lb_workers state': ['wanted', 'running'],
  'edge_build_info service': ['', 'natter', 'dhcpd', 'dns', 'lb'],
  'edge_dns_transfers_total outcome': TRANSFER_OUTCOMES,
};

function problemOfValue(metric: string, { label, operator, value }: Matcher): string | undefined {
  if (TARGET_LABELS.includes(label)) return undefined;
  const known = VALUES[`${metric} ${label}`];
  if (known === undefined) return `${metric}: no values of ${label} are known to this test`;
  // Each alternative is there for something.
  const texts = operator.endsWith('~') && !/[()]/.test(value) ? value.split('|') : [value];
  const isThere = (text: string) =>
    known.some((one) =>
      operator.endsWith('~') ? new RegExp(`^(${text})$`).test(one) : one === text,
    );
  const missing = texts.filter((text) => !isThere(text));
  return missing.length === 0 ? undefined : `${metric}: no ${label} is ${missing.join(', ')}`;
}

/** `recorded`: labels of what recording rules make. */
export function problemsOf(
  { metric, matchers }: Selector,
  recorded: ReadonlyMap<string, readonly string[]>,
): string[] {
  const labels = METRICS.get(metric) ?? recorded.get(metric);
  if (labels === undefined) return [`there is no metric ${metric}`];
  return matchers.flatMap((matcher) => {
    const isKnown = [...labels, ...TARGET_LABELS].includes(matcher.label);
    if (!isKnown) return [`${metric} has no label ${matcher.label}`];
    return problemOfValue(metric, matcher) ?? [];
  });
}
