// Forwarded UDP in 64-byte frames: what a packet costs the CPU, ours and the peers in turn. All of
// a packet's way, from a link's receive to the far end's receive, runs on one thread.
import type { Run } from '../../../lab/run.ts';
import type { Hook } from '../../../shared/links/hook.ts';
import { median } from '../frame/rows.ts';
import type { BenchOptions, Row } from '../frame/types.ts';
import { CONTENDERS, type Contender, PEERS } from './peers.ts';
import { addressesOf, type FloodRequest, natterSettings } from './protocol.ts';
import { Remote } from './remote.ts';
import { buildSites, removeSites, type Site, siteOf } from './site.ts';
import { verifyTranslation } from './verify.ts';

/** The connection table must hold a burst of new flows of both directions. */
const NEW_FLOWS = { full: 100_000, quick: 50_000 };
const ESTABLISHED = { full: 400_000, quick: 100_000 };
const BURSTS = { full: 4, quick: 1 };
const LEAST_FLOWS = 4096;
/** Flow numbers: each is a 5-tuple of its own. */
const NEW_INBOUND = 2 ** 24;
const NEW_OUTBOUND = 2 ** 31;
const CPU = 1;
const SOURCE_CASE = 'udp64-source';

interface Contest {
  site: Site;
  router: Remote;
  newFlows: number;
}

export interface UdpBench {
  eips: number;
  contests: Contest[];
  sink: Remote;
}

type Direction = FloodRequest['link'];
const DIRECTIONS: readonly Direction[] = ['up0', 'in0'];

export async function openUdp(run: Run, eips: number, hook: Hook): Promise<UdpBench> {
  const sites = CONTENDERS.map((contender) => siteOf(contender, 'shared'));
  await buildSites(run, sites, eips);
  const contests = sites.map((site) => {
    return { site, router: new Remote(run, site.router, CPU), newFlows: 0 };
  });
  const sink = new Remote(run, 'far', CPU);
  const bench = { eips, contests, sink };
  await contests[0]?.router.call('attachNatter', natterSettings(run, eips, hook));
  await sink.call('attachSink', { links: allLinks(bench), capture: true });
  for (const contest of contests) await verifyTranslation(contest.router, sink, contest.site, eips);
  await sink.call('attachSink', { links: allLinks(bench), capture: false });
  return bench;
}

const allLinks = (bench: UdpBench): string[] =>
  bench.contests.flatMap(({ site }) => [site.clientLink, site.vmLink]);

export async function closeUdp(run: Run, bench: UdpBench): Promise<void> {
  await Promise.all([...bench.contests.map(({ router }) => router.stop()), bench.sink.stop()]);
  await removeSites(
    run,
    bench.contests.map(({ site }) => site),
  );
}

/** Sends, and makes sure that every packet arrived. */
async function send(bench: UdpBench, contest: Contest, request: FloodRequest): Promise<number> {
  const { clientLink, vmLink } = contest.site;
  const link = request.link === 'up0' ? vmLink : clientLink;
  const before = await bench.sink.call('arrived', { link });
  const { cpuNs, packets } = await contest.router.call('flood', request);
  const arrived = (await bench.sink.call('arrived', { link })) - before;
  if (arrived !== packets) {
    const { contender } = contest.site;
    throw new Error(`${contender}: of ${packets} packets by ${request.link} ${arrived} arrived`);
  }
  return cpuNs;
}

const base = (bench: UdpBench, contest: Contest, link: Direction) => ({
  link,
  eips: bench.eips,
  addresses: addressesOf(contest.site.contender),
});

/** Nanoseconds of CPU a packet. */
interface Cost {
  in: number;
  out: number;
}

async function established(bench: UdpBench, contest: Contest, quick: boolean): Promise<Cost> {
  const packets = quick ? ESTABLISHED.quick : ESTABLISHED.full;
  const flows = Math.max(LEAST_FLOWS, bench.eips);
  for (const link of DIRECTIONS) {
    const request = { ...base(bench, contest, link), packets: flows, flows: 0, firstFlow: 0 };
    await send(bench, contest, request);
  }
  const cost = async (link: Direction): Promise<number> => {
    const request = { ...base(bench, contest, link), packets, flows, firstFlow: 0 };
    return (await send(bench, contest, request)) / packets;
  };
  return { in: await cost('up0'), out: await cost('in0') };
}

async function newFlows(bench: UdpBench, contest: Contest, quick: boolean): Promise<Cost> {
  const packets = quick ? NEW_FLOWS.quick : NEW_FLOWS.full;
  const bursts = quick ? BURSTS.quick : BURSTS.full;
  const cost = { in: 0, out: 0 };
  for (let burst = 0; burst < bursts; burst++) {
    await contest.router.call('flushConntrack', null);
    const request = { packets, flows: 0 };
    const firstIn = NEW_INBOUND + contest.newFlows;
    const firstOut = NEW_OUTBOUND + contest.newFlows;
    contest.newFlows += packets;
    const inbound = { ...base(bench, contest, 'up0'), ...request, firstFlow: firstIn };
    cost.in += (await send(bench, contest, inbound)) / packets / bursts;
    const outbound = { ...base(bench, contest, 'in0'), ...request, firstFlow: firstOut };
    cost.out += (await send(bench, contest, outbound)) / packets / bursts;
  }
  await contest.router.call('flushConntrack', null);
  return cost;
}

type Measure = (bench: UdpBench, contest: Contest, quick: boolean) => Promise<Cost>;
const UNIT = 'packets per CPU second';
const rate = (costs: readonly Cost[]): number => 2e9 / median(costs.map((c) => c.in + c.out));

/** One case: the rounds, each of ours and all peers in turn; a row a peer. */
async function measure(
  bench: UdpBench,
  name: string,
  one: Measure,
  options: BenchOptions,
): Promise<Row[]> {
  const costs = new Map<Contender, Cost[]>(CONTENDERS.map((contender) => [contender, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const contest of bench.contests) {
      options.signal.throwIfAborted();
      costs.get(contest.site.contender)?.push(await one(bench, contest, options.quick));
    }
  }
  for (const [contender, list] of costs) {
    const [inbound, outbound] = [median(list.map((c) => c.in)), median(list.map((c) => c.out))];
    const figures = `${inbound.toFixed(0)} ns in, ${outbound.toFixed(0)} ns out`;
    options.progress(`  ${name} ${contender}: ${figures}`);
  }
  const rateOf = (contender: Contender): number => rate(costs.get(contender) ?? []);
  const row = { case: name, unit: UNIT, better: 'higher' as const, ours: rateOf('natter') };
  return PEERS.map((peer) => ({ ...row, peer, theirs: rateOf(peer) }));
}

const CASES: Record<string, Measure> = {
  'udp64-established': established,
  'udp64-newflows': newFlows,
};

/** Rows of one number of EIPs. */
export async function* benchUdp(
  run: Run,
  eips: number,
  label: string,
  options: BenchOptions & { wanted(name: string): boolean },
): AsyncGenerator<Row> {
  const cases = Object.entries(CASES).filter(([name]) => options.wanted(`${name}/${label}`));
  const source = eips === 1 && options.wanted(SOURCE_CASE);
  if (cases.length === 0 && !source) return;
  options.progress(`${label} EIPs: four routers`);
  const bench = await openUdp(run, eips, options.hook);
  try {
    if (source) yield await sourceRow(bench, options.rounds);
    for (const [name, one] of cases) {
      yield* await measure(bench, `${name}/${label}`, one, options);
    }
  } finally {
    await closeUdp(run, bench);
  }
}

/** The packet source by itself: part of every figure of udp64, ours and theirs alike. */
async function sourceRow(bench: UdpBench, rounds: number): Promise<Row> {
  const [contest] = bench.contests;
  if (!contest) throw new Error('no contest');
  const costs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const packets = ESTABLISHED.full;
    const flows = LEAST_FLOWS;
    const request = { ...base(bench, contest, 'up0'), packets, flows, firstFlow: 0, drop: true };
    const { cpuNs } = await contest.router.call('flood', request);
    costs.push(cpuNs / packets);
  }
  return { case: SOURCE_CASE, unit: 'ns per packet', better: 'lower', ours: median(costs) };
}
