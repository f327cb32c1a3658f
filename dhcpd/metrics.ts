// Every metric of a dhcpd. No address is a label: leases are listed by `edgectl lease list`.

import type { Metrics, MetricTable } from '../shared/metrics.ts';
import type { Names } from './ddns/names.ts';
import type { DhcpdService } from './service.ts';

export const dhcpdMetrics = {
  messages: {
    type: 'counter',
    name: 'edge_dhcpd_messages_total',
    help: 'Messages by what became of them: answers, refusals, and each reason for silence.',
    labels: ['reason'],
  },
  received: {
    type: 'counter',
    name: 'edge_dhcpd_datagrams_received_total',
    help: 'Datagrams that came by the UDP sockets.',
  },
  sent: {
    type: 'counter',
    name: 'edge_dhcpd_datagrams_sent_total',
    help: 'Datagrams that left by the UDP sockets.',
  },
  dropped: {
    type: 'counter',
    name: 'edge_dhcpd_io_dropped_total',
    help: 'What sockets and links lost or threw away, by why.',
    labels: ['reason'],
  },
  probes: {
    type: 'counter',
    name: 'edge_dhcpd_probes_total',
    help: 'Probes of recycled addresses by result.',
    labels: ['result'],
  },
  foreign: {
    type: 'counter',
    name: 'edge_dhcpd_foreign_answers_total',
    help: 'Offers and acknowledgements of servers that are none of ours, heard on links.',
  },
  underWay: {
    type: 'gauge',
    name: 'edge_dhcpd_requests_pending',
    help: 'Requests that are under way or wait their turn.',
  },
  bound: {
    type: 'gauge',
    name: 'edge_dhcpd_leases_bound',
    help: 'Addresses of a network that clients hold.',
    labels: ['network'],
  },
  total: {
    type: 'gauge',
    name: 'edge_dhcpd_pool_addresses',
    help: 'Addresses in the pools of a network.',
    labels: ['network'],
  },
  condition: {
    type: 'gauge',
    name: 'edge_dhcpd_leases_fresh',
    help: 'Whether the leases are followed: 1 fresh, 0 stale, isolated or starting.',
  },
  commits: {
    type: 'counter',
    name: 'edge_dhcpd_lease_commits_total',
    help: 'Pipelines of lease changes that were sent to Redis.',
  },
  commitItems: {
    type: 'counter',
    name: 'edge_dhcpd_lease_changes_total',
    help: 'Lease changes in those pipelines.',
  },
  commitsFailed: {
    type: 'counter',
    name: 'edge_dhcpd_lease_commits_failed_total',
    help: 'Pipelines that failed, or whose writes were not made durable.',
  },
  losses: {
    type: 'counter',
    name: 'edge_dhcpd_lease_losses_total',
    help: 'Blocks that Redis was found to have lost leases of.',
  },
  quarantined: {
    type: 'gauge',
    name: 'edge_dhcpd_blocks_quarantined',
    help: 'Blocks of 256 addresses that give nothing to new clients after a loss.',
  },
  planVersion: {
    type: 'gauge',
    name: 'edge_dhcpd_plan_version',
    help: 'The version of the site objects that is in force.',
  },
  desiredVersion: {
    type: 'gauge',
    name: 'edge_dhcpd_desired_version',
    help: 'The newest version of the site objects seen in the store.',
  },
  drift: {
    type: 'gauge',
    name: 'edge_dhcpd_drift',
    help: 'Whether the plan is not what the store wants, because that was refused.',
  },
  linksMissing: {
    type: 'gauge',
    name: 'edge_dhcpd_links_missing',
    help: 'Configured links that are not served.',
  },
  names: {
    type: 'counter',
    name: 'edge_dhcpd_names_total',
    help: 'Names of leases for dns, by what became of them.',
    labels: ['result'],
  },
  namesWaiting: {
    type: 'gauge',
    name: 'edge_dhcpd_names_waiting',
    help: 'Addresses whose name is not written to the store yet.',
  },
  canary: {
    type: 'gauge',
    name: 'edge_dhcpd_canary_passed',
    help: 'Whether the last exchange with itself went well.',
  },
} as const satisfies MetricTable;

/** `service`: undefined until it has been made. */
export function declareDhcpdMetrics(
  metrics: Metrics,
  service: () => DhcpdService | undefined,
  names: () => Names | undefined,
): void {
  metrics.declare(dhcpdMetrics, (own) => {
    const named = names();
    for (const [result, count] of named?.counts.entries() ?? [])
      own.names.setTotal(count, { result });
    own.namesWaiting.set(named?.waiting ?? 0);
    const dhcpd = service();
    if (dhcpd === undefined) return;
    for (const [reason, count] of dhcpd.messages.entries())
      own.messages.setTotal(count, { reason });
    for (const [reason, count] of dhcpd.wire.dropped()) own.dropped.setTotal(count, { reason });
    for (const [result, count] of dhcpd.wire.probes.entries())
      own.probes.setTotal(count, { result });
    const udp = dhcpd.wire.udpCounts;
    own.received.setTotal(udp?.received ?? 0);
    own.sent.setTotal(udp?.sent ?? 0);
    own.foreign.setTotal(dhcpd.wire.foreignAnswers);
    const { underWay, waiting } = dhcpd.server.pending;
    own.underWay.set(underWay + waiting);
    own.bound.reset();
    own.total.reset();
    for (const { network, counts } of dhcpd.networkCounts()) {
      own.bound.set(counts.bound, { network });
      own.total.set(counts.total, { network });
    }
    const { commits, quarantinedBlocks, losses } = dhcpd.book.status();
    own.condition.set(dhcpd.book.condition === 'fresh' ? 1 : 0);
    own.commits.setTotal(commits.batches);
    own.commitItems.setTotal(commits.items);
    own.commitsFailed.setTotal(commits.failed + commits.notDurable);
    own.losses.setTotal(losses);
    own.quarantined.set(quarantinedBlocks);
    const status = dhcpd.follower.status();
    own.planVersion.set(dhcpd.plan.version);
    own.desiredVersion.set(status.desiredVersion);
    own.drift.set(status.drift === undefined ? 0 : 1);
    own.linksMissing.set(
      dhcpd.wire.links.states.filter(({ problem }) => problem !== undefined).length,
    );
    own.canary.set(dhcpd.canaryProblem === undefined ? 1 : 0);
    metrics.everywhere.storeUp.set(status.storeUp ? 1 : 0);
    metrics.everywhere.snapshotAge.set(status.lastContactMs / 1000);
  });
}
