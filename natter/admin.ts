// What a natter shows of itself: the status page and its JSON, meters, and the verbs of the socket.

import type { ControlRoute } from '../shared/admin/control.ts';
import { readFlowRequest } from '../shared/admin/flow-request.ts';
import type { Cell, StatusTable, StatusView } from '../shared/admin/page.ts';
import { rowsPage } from '../shared/admin/rows-page.ts';
import type { JsonPages } from '../shared/admin/server.ts';
import { OperationalError } from '../shared/errors.ts';
import { formatIpv4, ipv4, parseIpv4 } from '../shared/net/ipv4.ts';
import type { NatterConfig } from './config.ts';
import { explainFlow } from './explain.ts';
import { SERVICE } from './name.ts';
import type { NatterService } from './service.ts';
import { traceStream } from './trace.ts';

const MAX_METERS = 1_000_000;
/** Of so many EIPs the busiest are found: not of a million, each time it is asked. */
const MAX_RANKED = 20_000;

export function statusJson(config: NatterConfig, natter: NatterService | undefined): unknown {
  const identity = { service: SERVICE, node: config.node, instance: config.instance };
  if (natter === undefined) return { ...identity, state: 'starting' };
  const { follower, keeper, announcer, links, options, datapath } = natter;
  const status = follower.status();
  const state = keeper.table?.state;
  return {
    ...identity,
    version: options.version,
    state: natter.state,
    startedAt: new Date(natter.startedAt).toISOString(),
    checks: natter.checks(),
    table: {
      version: keeper.version,
      desiredVersion: status.desiredVersion,
      eips: state?.eipCount ?? 0,
      forwards: state?.forwardCount ?? 0,
      groups: state?.groups.size ?? 0,
      capacity: config.capacity,
    },
    drift: status.drift ?? [],
    store: {
      up: status.storeUp,
      source: status.source,
      lastContactMs: Number.isFinite(status.lastContactMs) ? status.lastContactMs : null,
    },
    links: links.states.map(({ name, role, link, attached, hook }) => ({
      name,
      role,
      ifindex: link?.ifindex ?? null,
      up: link?.up ?? false,
      attached,
      hook: hook ?? null,
    })),
    announce: { state: announcer.state, routes: announcer.routes.slice(0, 100) },
    selfTest: natter.selfTestProblem ?? null,
    audits: keeper.audits,
    packets: Object.fromEntries(datapath.counters()),
  };
}

export function statusView(
  config: NatterConfig,
  version: string,
  natter: NatterService | undefined,
): StatusView {
  const head = { service: SERVICE, node: config.node, version };
  if (natter === undefined) {
    return { ...head, state: { text: 'starting', level: 'warn' }, facts: [], tables: [] };
  }
  const { follower, keeper, announcer } = natter;
  const status = follower.status();
  const well = natter.state === 'running';
  const eips = keeper.table?.state.eipCount ?? 0;
  const facts: [string, Cell][] = [
    ['table', `version ${keeper.version} of ${status.desiredVersion}, ${eips} EIPs`],
    ['drift', status.drift ? { text: status.drift.join('; '), level: 'bad' } : 'none'],
    ['store', status.storeUp ? 'answers' : { text: 'does not answer', level: 'warn' }],
    ['table came from', status.source],
    ['announced', announcer.state],
    [
      'self-test',
      natter.selfTestProblem ? { text: natter.selfTestProblem, level: 'bad' } : 'passed',
    ],
  ];
  const level = well ? 'ok' : natter.state === 'not-ready' ? 'bad' : 'warn';
  const tables = [linkTable(natter), reasonTable(natter)];
  return { ...head, state: { text: natter.state, level }, facts, tables };
}

function linkTable({ links }: NatterService): StatusTable {
  const rows = links.states.map(({ name, role, attached, hook }): Cell[] => [
    name,
    role,
    attached
      ? { text: `attached at ${hook}`, level: 'ok' }
      : { text: 'not attached', level: 'bad' },
  ]);
  return { title: 'Links', columns: ['link', 'role', 'programs'], rows };
}

function reasonTable({ datapath }: NatterService): StatusTable {
  const rows = [...datapath.counters()]
    .filter(([, { packets }]) => packets > 0)
    .map(([reason, { packets, bytes }]): Cell[] => [reason, packets, bytes]);
  return { title: 'Packets', columns: ['reason', 'packets', 'bytes'], rows };
}

type MaybeNatter = () => NatterService | undefined;

function running(natter: MaybeNatter): NatterService {
  const service = natter();
  if (service?.keeper.table !== undefined) return service;
  throw new OperationalError('EDGE_NATTER_STARTING', 'the natter has no table yet', {
    remedy: 'wait until it is ready, see its log',
  });
}

/** Meters: of the EIPs named, for an edgectl that adds them up, or of the busiest. */
export function natterPages(natter: MaybeNatter): JsonPages {
  const before = new Map<string, number>();
  return {
    '/stats': (query) => {
      const asked = query.getAll('address');
      if (asked.length > 0) return stats(running(natter), asked);
      if (query.has('limit')) return busiest(running(natter), query, before);
      const error = 'name EIPs, /stats?address=A&address=B, or ask for the busiest, /stats?limit=N';
      return { error }; // all of a million are for nobody
    },
  };
}

/** Those whose bytes grew most since the page was last asked for: `before`, which it renews. */
function busiest(
  natter: NatterService,
  query: URLSearchParams,
  before: Map<string, number>,
): unknown {
  const { node, eips } = stats(natter, [], MAX_RANKED);
  const grown = new Map(
    eips.map(({ address, inBytes, outBytes }) => {
      const bytes = inBytes + outBytes;
      const [key, last] = [address, before.get(address) ?? 0];
      before.set(key, bytes);
      return [key, bytes >= last ? bytes - last : bytes];
    }),
  );
  for (const address of before.keys()) if (!grown.has(address)) before.delete(address);
  const { rows } = rowsPage(eips, query, ({ address }) => -(grown.get(address) ?? 0));
  return { node, total: natter.keeper.table?.state.eipCount ?? 0, eips: rows };
}

/** The verbs of the control socket besides GET /status. */
export function natterRoutes(natter: MaybeNatter): ControlRoute[] {
  return [
    {
      method: 'POST',
      path: '/explain',
      handle: ({ body }) => explainFlow(running(natter), readFlowRequest(body, 'EDGE_NATTER_FLOW')),
    },
    {
      method: 'GET',
      path: '/stats',
      handle: ({ query }) => stats(running(natter), query.getAll('address')),
    },
    {
      method: 'GET',
      path: '/trace',
      handle: ({ query, signal }) => traceStream(running(natter), query, signal),
    },
  ];
}

type EipStats = {
  address: string;
  inPackets: number;
  inBytes: number;
  outPackets: number;
  outBytes: number;
};

/** Of the addresses asked for, or of all up to `most`. */
function stats(
  natter: NatterService,
  asked: readonly string[],
  most = MAX_METERS,
): { node: string; eips: EipStats[] } {
  const state = natter.keeper.table?.state;
  const { node } = natter.options;
  if (state === undefined) return { node, eips: [] };
  const eips: EipStats[] = [];
  const add = (eip: number, slot: number): void => {
    const meter = natter.datapath.meter(slot);
    eips.push({
      address: formatIpv4(ipv4(eip)),
      inPackets: meter.in_packets,
      inBytes: meter.in_bytes,
      outPackets: meter.out_packets,
      outBytes: meter.out_bytes,
    });
  };
  for (const text of asked) {
    const eip = parseIpv4(text);
    const slot = eip === undefined ? undefined : state.slotOfEip.get(eip);
    if (eip !== undefined && slot !== undefined) add(eip, slot);
  }
  if (asked.length > 0) return { node, eips };
  for (const [eip, slot] of state.slotOfEip.entries()) {
    if (eips.length >= most) break;
    add(eip, slot);
  }
  return { node, eips };
}
