// Redis' primary is killed while all kinds of clients ask; another one takes its place, and the old
// one comes back as its replica. Redis is in no packet's way: only what has to be written waits.
import { VIPS } from '../lb.ts';
import { WWW } from '../lb-objects.ts';
import { until } from '../ready.ts';
import type { Site } from '../site.ts';
import { dnsAddresses, EIP, siteObjects, vmName } from '../site-objects.ts';
import { lookUp, www } from './ask.ts';
import { asking, pinging, type Seen, together, told } from './asking.ts';
import { isRight } from './names.ts';
import { type Check, clientOf, type Outcome, type Step } from './step.ts';

const FAILOVER = { timeoutMs: 30_000 };
const BOOTS = 3;

type Asker = {
  path: string;
  run: (change: () => Promise<void>) => Promise<Seen>;
  /** Leases are written: they wait for the new primary. */
  mayWait?: boolean;
};

function askers(site: Site): Asker[] {
  const [a, b, c] = [clientOf(site, 0), clientOf(site, 1), clientOf(site, 2)];
  const isp = site.clients.length > 1 ? 1 : 0;
  const name = async () => isRight(site, isp, await lookUp(b, vmName(site), dnsAddresses(site)));
  const request = async () => (await www(c, 'https', VIPS.isps[2])).ok;
  const vm = site.vm(6);
  const boots = async (): Promise<boolean> => {
    const { address } = vm;
    await vm.dhcp();
    return vm.address === address;
  };
  return [
    ...(site.natters.length > 0
      ? [{ path: `${a.name} > ${EIP.first}, ping`, run: pings(site) }]
      : []),
    ...(site.dnses.length > 0
      ? [{ path: `${b.name} > ${vmName(site)}`, run: (x: () => Promise<void>) => asking(name, x) }]
      : []),
    ...(site.lbs.length > 0
      ? [
          {
            path: `${c.name} > https://${WWW}`,
            run: (x: () => Promise<void>) => asking(request, x),
          },
        ]
      : []),
    ...(site.dhcpds.length > 0
      ? [
          {
            path: 'vm-6 boots again and again',
            run: (x: () => Promise<void>) => asking(boots, x, BOOTS),
            mayWait: true,
          },
        ]
      : []),
  ];
}

const pings = (site: Site) => (change: () => Promise<void>) =>
  pinging(clientOf(site, 0), EIP.first, change);

/** Returns how long nothing could be written. */
async function failover(site: Site): Promise<number> {
  const before = await site.redis.primary();
  const began = performance.now();
  await site.redis.kill();
  await until(
    'another one is the primary, and takes writes',
    async () => {
      if ((await site.redis.primary()) === before) return false;
      return (await site.redis.cli('DEL', 'lab')) === '0';
    },
    FAILOVER,
  );
  return performance.now() - began;
}

async function appliedAgain(site: Site): Promise<Outcome> {
  const began = performance.now();
  await site.apply(siteObjects(site));
  return { ok: true, result: `in force after ${Math.round(performance.now() - began)} ms` };
}

async function comesBack(site: Site): Promise<Outcome> {
  const began = performance.now();
  await site.redis.start();
  await site.redis.whole();
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  return { ok: true, result: `a replica of ${await site.redis.primary()} after ${seconds} s` };
}

export function redis(site: Site): Step {
  const all = askers(site);
  const what = 'primary, kill -9';
  let took: number | undefined;
  const change = together(all.length, async () => {
    took = await failover(site);
  });
  // One event, and a row for each who saw it.
  let struck: Promise<Seen[]> | undefined;
  const rows = all.map(({ path, mayWait }, at): Check => {
    const run = async (): Promise<Outcome> => {
      struck ??= Promise.all(all.map((asker) => asker.run(change)));
      const seen = (await struck)[at];
      if (!seen) throw new Error(`${path}: nobody asked`);
      return { ok: seen.isWell && (mayWait || seen.answered === seen.asked), result: told(seen) };
    };
    return { what, path, run };
  });
  const moved = async (): Promise<Outcome> => {
    const primary = await site.redis.primary();
    return {
      ok: took !== undefined,
      result: `${primary}, takes writes after ${Math.round(took ?? 0)} ms`,
    };
  };
  return {
    title: "Redis' primary dies while clients ask",
    checks: [
      ...rows,
      { what: 'who is primary now', path: 'by the Sentinels', run: moved },
      { what: 'edgectl apply', path: 'store > the new primary', run: () => appliedAgain(site) },
      { what: 'the old one', path: 'starts again', run: () => comesBack(site) },
    ],
  };
}
