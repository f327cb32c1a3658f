// Every metric of a natter. No address is a label: per-EIP figures are `edgectl eip stats`.

import type { Metrics, MetricTable } from '../shared/metrics.ts';
import type { NatterService } from './service.ts';

export const natterMetrics = {
  packets: {
    type: 'counter',
    name: 'edge_natter_packets_total',
    help: 'Packets by what the data plane did with them; drops are the DROP_ reasons.',
    labels: ['reason'],
  },
  bytes: {
    type: 'counter',
    name: 'edge_natter_bytes_total',
    help: 'Wire bytes by what the data plane did with them.',
    labels: ['reason'],
  },
  eips: { type: 'gauge', name: 'edge_natter_eips', help: 'Elastic IPs in the table.' },
  forwards: { type: 'gauge', name: 'edge_natter_forwards', help: 'Port forwards in the table.' },
  groups: { type: 'gauge', name: 'edge_natter_groups', help: 'Bandwidth groups in the table.' },
  tableVersion: {
    type: 'gauge',
    name: 'edge_natter_table_version',
    help: 'The version of the site objects that the kernel holds.',
  },
  desiredVersion: {
    type: 'gauge',
    name: 'edge_natter_desired_version',
    help: 'The newest version of the site objects seen in the store.',
  },
  drift: {
    type: 'gauge',
    name: 'edge_natter_drift',
    help: 'Whether the kernel does not hold what the store wants, because it was refused.',
  },
  mapEntries: {
    type: 'gauge',
    name: 'edge_natter_map_entries',
    help: 'Entries that the table takes in a map of the kernel.',
    labels: ['map'],
  },
  mapCapacity: {
    type: 'gauge',
    name: 'edge_natter_map_capacity_entries',
    help: 'Entries that a map of the kernel has room for.',
    labels: ['map'],
  },
  selfTest: {
    type: 'gauge',
    name: 'edge_natter_self_test_passed',
    help: 'Whether the live programs translated the last test packets right.',
  },
  announced: {
    type: 'gauge',
    name: 'edge_natter_announced',
    help: 'Whether the EIP prefixes are announced.',
  },
  linksMissing: {
    type: 'gauge',
    name: 'edge_natter_links_missing',
    help: 'Configured links on which the programs do not run.',
  },
  auditRepairs: {
    type: 'counter',
    name: 'edge_natter_audit_repairs_total',
    help: 'Entries of the kernel that an audit found wrong and put right.',
  },
} as const satisfies MetricTable;

/** `service`: undefined until it has been made. */
export function declareNatterMetrics(
  metrics: Metrics,
  service: () => NatterService | undefined,
): void {
  metrics.declare(natterMetrics, (own) => {
    const natter = service();
    if (natter === undefined) return;
    const { follower, keeper, datapath, announcer, links } = natter;
    for (const [reason, { packets, bytes }] of datapath.counters()) {
      own.packets.setTotal(packets, { reason });
      own.bytes.setTotal(bytes, { reason });
    }
    const state = keeper.table?.state;
    own.eips.set(state?.eipCount ?? 0);
    own.forwards.set(state?.forwardCount ?? 0);
    own.groups.set(state?.groups.size ?? 0);
    const status = follower.status();
    own.tableVersion.set(keeper.version);
    own.desiredVersion.set(status.desiredVersion);
    own.drift.set(status.drift === undefined ? 0 : 1);
    const entries: [map: string, entries: number][] = [
      ['eip_to_private', state?.eipCount ?? 0],
      ['forwards_in', state?.forwardBlocks ?? 0],
      ['bucket_configs', state?.bucketCount ?? 0],
    ];
    for (const [map, count] of entries) {
      own.mapEntries.set(count, { map });
      own.mapCapacity.set(datapath.map(map).maxEntries, { map });
    }
    own.selfTest.set(natter.selfTestProblem === undefined ? 1 : 0);
    own.announced.set(announcer.state === 'announced' ? 1 : 0);
    own.linksMissing.set(links.missing.length);
    const { added, changed, removed } = keeper.audits;
    own.auditRepairs.setTotal(added + changed + removed);
    metrics.everywhere.storeUp.set(status.storeUp ? 1 : 0);
    metrics.everywhere.snapshotAge.set(status.lastContactMs / 1000);
  });
}
