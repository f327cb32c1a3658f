// Cases of L4: what a balancer adds to a connection and to bulk, what our programs take for a
// packet, and how fast a pool changes.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { instanceName, type Run } from '../../../lab/run.ts';
import { median } from '../frame/rows.ts';
import { transfer } from './l4-bulk.ts';
import { microsPerConnection, startNginx } from './l4-connections.ts';
import {
  buildSite,
  CONTENDERS,
  type Contender,
  EDGE,
  nftRules,
  runNft,
  runOwn,
  type Site,
} from './l4-sites.ts';
import type { Case, CaseOptions, Figure, Figures } from './types.ts';

const CHANGE = join(import.meta.dirname, 'l4-change.ts');
const PACKETS = join(import.meta.dirname, '../../support/lb/l4/ns-per-packet.ts');
/** The kernel's own balancer; it has no /proc/net/ip_vs where it is not built in. */
const hasIpvs = existsSync('/proc/net/ip_vs');

const secondsOf = ({ quick }: CaseOptions): number => (quick ? 1 : 3);
const BALANCERS = [EDGE, 'haproxy', 'nft', 'plain'] as const;

async function buildAll(run: Run, contenders: readonly Contender[]): Promise<Map<string, Site>> {
  const sites = new Map<string, Site>();
  for (const contender of contenders) sites.set(contender, await buildSite(run, contender));
  return sites;
}

async function removeAll(sites: ReadonlyMap<string, Site>): Promise<void> {
  for (const site of sites.values()) await site.remove();
}

const siteIn = (sites: ReadonlyMap<string, Site>, name: string): Site => {
  const site = sites.get(name);
  if (site === undefined) throw new Error(`no site of ${name}`);
  return site;
};

const connections: Case = {
  figures: {
    'l4/connections': {
      unit: 'µs of CPU added per connection',
      better: 'lower',
      targets: [
        { atMost: 0.25, of: ['haproxy'] },
        { atMost: 0.77, of: ['nft'] },
      ],
    },
    'l4/connections/whole': { unit: 'µs of CPU per connection, ends and all', better: 'lower' },
  },
  contenders: BALANCERS,
  turns: 3,
  ...(hasIpvs ? {} : { caveat: 'no ipvs beside them: this kernel is built without it' }),
  async prepare(options) {
    const { run } = options;
    const sites = await buildAll(run, CONTENDERS);
    const servers = new Map<string, number>();
    for (const [name, site] of sites) servers.set(name, await startNginx(run, site));
    const micros = (name: string): Promise<number> =>
      microsPerConnection(siteIn(sites, name), servers.get(name) ?? -1, secondsOf(options));
    let direct = await micros('direct');
    return {
      /** The direct path right before and after: a machine's speed changes with its neighbours. */
      async measure(name) {
        const whole = await micros(name);
        const before = direct;
        direct = await micros('direct');
        return { 'l4/connections': whole - (before + direct) / 2, 'l4/connections/whole': whole };
      },
      stop: () => removeAll(sites),
    };
  },
};

const bulk: Case = {
  figures: {
    'l4/bulk/cpu': {
      unit: 'CPU seconds per GB',
      better: 'lower',
      targets: [{ atMost: 1.1, of: ['plain'] }],
    },
    'l4/bulk/rate': { unit: 'Gbit/s', better: 'higher' },
  },
  contenders: BALANCERS,
  turns: 3,
  async prepare(options) {
    const sites = await buildAll(options.run, BALANCERS);
    return {
      async measure(name) {
        const { secondsPerGb, gbits } = await transfer(siteIn(sites, name), secondsOf(options));
        return { 'l4/bulk/cpu': secondsPerGb, 'l4/bulk/rate': gbits };
      },
      stop: () => removeAll(sites),
    };
  },
};

/** Names of rows by what ns-per-packet.ts calls them. */
const PACKET_ROWS = {
  syn: 'in, SYN',
  'first-ack': 'in, first ACK (written)',
  known: 'in, known flow',
  out: 'out',
  nobodys: "nobody's",
};
const FEW = `${EDGE}, 2 servers`;
const NS: Figure = { unit: 'ns per packet', better: 'lower' };

const packet: Case = {
  figures: Object.fromEntries(Object.keys(PACKET_ROWS).map((name) => [`l4/packet/${name}`, NS])),
  contenders: [EDGE, FEW],
  turns: 1,
  async prepare({ run }) {
    const site = await buildSite(run, EDGE, 'idle');
    const text = await runOwn(run, site, PACKETS, []).catch(async (error) => {
      await site.remove();
      throw error;
    });
    return {
      async measure(name) {
        const servers = name === FEW ? 2 : 1000;
        const lines = text.split('\n').filter((line) => line.startsWith(`${servers} servers`));
        const figures = Object.entries(PACKET_ROWS).map(([row, words]) => {
          const line = lines.find((each) => each.includes(`: ${words}: `));
          return [`l4/packet/${row}`, Number(/: (\d+(?:\.\d+)?) ns$/.exec(line ?? '')?.[1])];
        });
        return Object.fromEntries(figures) as Figures; // as: the pairs above
      },
      stop: () => site.remove(),
    };
  },
};

const poolChange: Case = {
  figures: {
    'l4/pool-change': {
      unit: 'ms until the kernel has it',
      better: 'lower',
      targets: [{ atMost: 20 }],
    },
    'l4/pool-change/worst': { unit: 'ms until the kernel has it', better: 'lower' },
    'l4/pool-change/moved': {
      unit: '% of other flows that move',
      better: 'lower',
      targets: [{ atMost: 2 }],
    },
  },
  contenders: [EDGE, 'nft'],
  turns: 1,
  async prepare({ run, quick }) {
    const own = await buildSite(run, EDGE, 'idle');
    const nft = await buildSite(run, 'nft', 'idle');
    const times = quick ? 20 : 100;
    const addresses = Array.from({ length: 100 }, (_, at) => `10.0.0.${at + 1}`);
    return {
      async measure(name) {
        if (name !== EDGE) return nftChange(run, addresses, times);
        const args = [instanceName(run, 'change'), String(times)];
        // as: what l4-change.ts prints
        const { ms, moved } = JSON.parse(await runOwn(run, own, CHANGE, args)) as {
          ms: number[];
          moved: number;
        };
        return {
          'l4/pool-change': median(ms),
          'l4/pool-change/worst': Math.max(...ms),
          'l4/pool-change/moved': 100 * moved,
        };
      },
      async stop() {
        await own.remove();
        await nft.remove();
      },
    };
  },
};

/** With the start of `nft`, for that is how it is done; where flows go is its hash modulo n. */
async function nftChange(run: Run, addresses: readonly string[], times: number): Promise<Figures> {
  const ms: number[] = [];
  const clear = 'add table ip lb\ndelete table ip lb\n';
  for (let at = 0; at < times; at++) {
    const rules = nftRules(addresses.filter((_, index) => index !== at % addresses.length));
    const startMs = performance.now();
    await runNft(run, clear + rules);
    ms.push(performance.now() - startMs);
  }
  return { 'l4/pool-change': median(ms), 'l4/pool-change/worst': Math.max(...ms) };
}

export const L4_CASES: readonly Case[] = [connections, bulk, packet, poolChange];
