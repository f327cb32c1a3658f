// Every metric of a dns. No client's address and no name is a label.
import { collectHealth, healthMetrics } from '../shared/health/metrics.ts';
import type { Metrics, MetricTable } from '../shared/metrics.ts';
import { COUNTER_FAMILIES, totalsOf } from './answer/counters.ts';
import type { DnsService } from './service.ts';
import type { WaysIn } from './ways-in.ts';

const { received, responses, outcomes, facts, lines } = COUNTER_FAMILIES;

export const dnsMetrics = {
  received: { type: 'counter', ...received },
  responses: { type: 'counter', ...responses },
  outcomes: { type: 'counter', ...outcomes },
  facts: { type: 'counter', ...facts },
  lineAnswers: { type: 'counter', ...lines },
  dropped: {
    type: 'counter',
    name: 'edge_dns_io_dropped_total',
    help: 'Datagrams lost or thrown away, and connections refused or cut, by why.',
    labels: ['reason'],
  },
  connections: {
    type: 'gauge',
    name: 'edge_dns_connections',
    help: 'Open connections by kind.',
    labels: ['transport'],
  },
  transfers: {
    type: 'counter',
    name: 'edge_dns_transfers_total',
    help: 'Transfers, NOTIFY and signed messages, both ways, by what became of them.',
    labels: ['outcome'],
  },
  aliasTargets: {
    type: 'gauge',
    name: 'edge_dns_alias_targets',
    help: 'Targets of ALIAS elsewhere, for A and AAAA each: fresh, kept or unknown.',
    labels: ['state'],
  },
  aliasQuestions: {
    type: 'counter',
    name: 'edge_dns_alias_questions_total',
    help: 'Questions to resolvers for targets of ALIAS, by whether any of them answered.',
    labels: ['outcome'],
  },
  zones: { type: 'gauge', name: 'edge_dns_zones', help: 'Zones that are served.' },
  zonesRefused: {
    type: 'gauge',
    name: 'edge_dns_zones_refused',
    help: 'Zones that are wrong as they are wanted: an older version, or SERVFAIL, is served.',
  },
  records: { type: 'gauge', name: 'edge_dns_records', help: 'Records in the zones served.' },
  smart: { type: 'gauge', name: 'edge_dns_smart_records', help: 'Records answered by line.' },
  lineCount: { type: 'gauge', name: 'edge_dns_lines', help: 'Lines, default among them.' },
  lineFilesBad: {
    type: 'gauge',
    name: 'edge_dns_line_files_bad',
    help: 'Prefix lists that cannot be read or are wrong; an older version is in force.',
  },
  targets: {
    type: 'gauge',
    name: 'edge_dns_targets',
    help: 'Targets of pools by their effective state.',
    labels: ['state'],
  },
  version: {
    type: 'gauge',
    name: 'edge_dns_version',
    help: 'The version of a unit of the site that is in force.',
    labels: ['unit'],
  },
  desiredVersion: {
    type: 'gauge',
    name: 'edge_dns_desired_version',
    help: 'The newest version of a unit of the site that was seen in the store.',
    labels: ['unit'],
  },
  drift: {
    type: 'gauge',
    name: 'edge_dns_drift',
    help: 'Whether what is served is not what is wanted, because that was refused.',
  },
  canary: {
    type: 'gauge',
    name: 'edge_dns_canary_passed',
    help: 'Whether it answered itself when it last asked.',
  },
} as const satisfies MetricTable;

export const dnsHealthMetrics = healthMetrics('dns');

/** `service`, `ways`: undefined until they have been made. */
export function declareDnsMetrics(
  metrics: Metrics,
  service: () => DnsService | undefined,
  ways: () => WaysIn | undefined,
): void {
  metrics.declare(dnsHealthMetrics, (own) => {
    const health = service()?.options.health;
    if (health !== undefined) collectHealth(own, health);
  });
  metrics.declare(dnsMetrics, (own) => {
    const dns = service();
    const open = ways();
    if (dns === undefined || open === undefined) return;
    const totals = totalsOf(open.counters, dns.serving.state.lines.lines);
    for (const { value, labels } of totals.received) own.received.setTotal(value, labels);
    for (const { value, labels } of totals.responses) own.responses.setTotal(value, labels);
    for (const { value, labels } of totals.outcomes) own.outcomes.setTotal(value, labels);
    for (const { value, labels } of totals.facts) own.facts.setTotal(value, labels);
    for (const { value, labels } of totals.lines) own.lineAnswers.setTotal(value, labels);
    for (const [reason, count] of open.dropped()) own.dropped.setTotal(count, { reason });
    for (const [transport, count] of Object.entries(open.connections())) {
      own.connections.set(count, { transport });
    }
    for (const [outcome, count] of Object.entries(dns.transfers.counts)) {
      own.transfers.setTotal(count, { outcome });
    }
    for (const [state, count] of Object.entries(dns.aliases.states)) {
      own.aliasTargets.set(count, { state });
    }
    for (const [outcome, count] of Object.entries(dns.aliases.counts)) {
      own.aliasQuestions.setTotal(count, { outcome });
    }
    const served = [...dns.zones.served.values()];
    own.zones.set(served.length);
    own.zonesRefused.set(dns.zones.refused.size);
    own.records.set(served.reduce((sum, { image }) => sum + image.recordCount, 0));
    own.smart.set(dns.plan?.smart.length ?? 0);
    own.lineCount.set(dns.serving.state.lines.lines.length);
    own.lineFilesBad.set(dns.lines.fileProblems.length);
    own.targets.reset();
    for (const [state, count] of Object.entries(dns.targetCounts())) {
      own.targets.set(count, { state });
    }
    const units = { dns: dns.follower.own.status(), pools: dns.follower.pools.status() };
    for (const [unit, { desiredVersion }] of Object.entries(units)) {
      own.desiredVersion.set(desiredVersion, { unit });
    }
    own.version.set(dns.applied.dns, { unit: 'dns' });
    own.version.set(dns.applied.pools, { unit: 'pools' });
    own.drift.set(dns.drift.length > 0 ? 1 : 0);
    own.canary.set(dns.presence.canaryProblem === undefined ? 1 : 0);
    metrics.everywhere.storeUp.set(units.dns.storeUp ? 1 : 0);
    metrics.everywhere.snapshotAge.set(units.dns.lastContactMs / 1000);
  });
}
