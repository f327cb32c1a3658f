// One bulk TCP connection through each router, by iperf3: bytes per second of CPU, of both ends and
// all that the kernel did between them in their names. Segmentation offload stays on, as on a real
// host.
import { execute } from '../../../lab/exec.ts';
import { configure, netnsPath } from '../../../lab/netns.ts';
import { LabProcess } from '../../../lab/process.ts';
import type { Run } from '../../../lab/run.ts';
import { median } from '../frame/rows.ts';
import type { BenchOptions, Row } from '../frame/types.ts';
import { ROUTER } from './addresses.ts';
import { softirqNs } from './cpu.ts';
import { CONTENDERS, type Contender, eip, PEERS, privateAddress } from './peers.ts';
import { natterSettings } from './protocol.ts';
import { Remote } from './remote.ts';
import { buildSites, removeSites, type Site, siteOf } from './site.ts';

const SECONDS = { full: 3, quick: 1 }; // iperf3 takes whole seconds
const CLIENT_CPU = 0;
const SERVER_CPU = 1;
const UNIT = 'bytes per CPU second';

const inNetns = (run: Run, node: string, cpu: number): [string, ...string[]] => [
  'taskset',
  '-c',
  String(cpu),
  'nsenter',
  `--net=${netnsPath(run, node)}`,
  '--',
];

async function prepareEnds(run: Run, site: Site, vm: string): Promise<void> {
  await configure(run, site.client, [`route add default via ${ROUTER.up0}`]);
  await configure(run, site.vm, [
    `address add ${vm}/32 dev lo`,
    `route add default via ${ROUTER.in0} src ${vm}`,
  ]);
}

/** The parts of iperf3's report that are read. CPU in percent of the time that the test took. */
interface Report {
  end: {
    sum_received: { bytes: number; seconds: number };
    cpu_utilization_percent: { host_total: number; remote_total: number };
  };
}

async function transfer(run: Run, site: Site, to: string, seconds: number): Promise<number> {
  const server = [...inNetns(run, site.vm, SERVER_CPU), 'iperf3', '-s', '-1'] as const;
  // as: the first element of inNetns() makes it a command.
  const listening = new LabProcess(run, server as never, { name: `iperf3-${site.vm}` });
  try {
    await listening.ready('listens', async () => {
      const ss = ['nsenter', `--net=${netnsPath(run, site.vm)}`, '--', 'ss', '-Hltn'] as const;
      return (await execute(ss[0], ss.slice(1))).stdout.includes(':5201');
    });
    const softirqBefore = softirqNs();
    const [command, ...inside] = inNetns(run, site.client, CLIENT_CPU);
    const args = [...inside, 'iperf3', '-c', to, '-J', '-t', String(seconds)];
    const { stdout } = await execute(command, args, { timeoutMs: (seconds + 20) * 1000 });
    const softirqSeconds = (softirqNs() - softirqBefore) / 1e9;
    const { end } = JSON.parse(stdout) as Report; // as: iperf3's own format
    const used = end.cpu_utilization_percent;
    const share = (used.host_total + used.remote_total) / 100;
    return end.sum_received.bytes / (share * end.sum_received.seconds + softirqSeconds);
  } finally {
    await listening.kill9();
  }
}

async function rounds(run: Run, sites: Site[], index: number, options: BenchOptions) {
  const rates = new Map<Contender, number[]>(CONTENDERS.map((contender) => [contender, []]));
  const seconds = options.quick ? SECONDS.quick : SECONDS.full;
  for (let round = 0; round < options.rounds; round++) {
    for (const site of sites) {
      options.signal.throwIfAborted();
      const to = site.contender === 'plain' ? privateAddress(index) : eip(index);
      rates.get(site.contender)?.push(await transfer(run, site, to, seconds));
    }
  }
  return rates;
}

/** Rows of one number of EIPs. */
export async function* benchTcp(
  run: Run,
  eips: number,
  label: string,
  options: BenchOptions & { wanted(name: string): boolean },
): AsyncGenerator<Row> {
  const name = `tcp-bulk/${label}`;
  if (!options.wanted(name)) return;
  options.progress(`${label} EIPs: bulk TCP`);
  const sites = CONTENDERS.map((contender) => siteOf(contender, 'own'));
  const index = eips >> 1;
  await buildSites(run, sites, eips);
  const router = new Remote(run, siteOf('natter', 'own').router, CLIENT_CPU);
  try {
    await router.call('attachNatter', natterSettings(run, eips, options.hook));
    for (const site of sites) await prepareEnds(run, site, privateAddress(index));
    const rates = await rounds(run, sites, index, options);
    const rateOf = (contender: Contender): number => median(rates.get(contender) ?? []);
    const row = { case: name, unit: UNIT, better: 'higher' as const, ours: rateOf('natter') };
    for (const peer of PEERS) yield { ...row, peer, theirs: rateOf(peer) };
  } finally {
    await router.stop();
    await removeSites(run, sites);
  }
}
