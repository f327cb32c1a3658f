// An EIP is reachable from each ISP: every kind of traffic, by flow or packet over all natters.
import type { LabNode } from '../node.ts';
import { CORE_ADDRESS } from '../plan.ts';
import { testSum } from '../server.ts';
import type { Site } from '../site.ts';
import { EIP, vmAddress } from '../site-objects.ts';
import { get, ping, udpEcho } from './ask.ts';
import { type Check, clientOf, type Outcome, type Step } from './step.ts';

const MEGABYTE = 1024 * 1024;

async function download(from: LabNode, address: string, bytes: number): Promise<Outcome> {
  const script = `curl -sS --max-time 60 http://${address}/bytes/${bytes} | sha256sum`;
  const { stdout } = await from.exec('sh', ['-c', script], { allowFailure: true });
  const ok = stdout.startsWith(testSum(bytes));
  return { ok, result: `${bytes / MEGABYTE} MiB, checksum ${ok ? 'right' : 'WRONG'}` };
}

async function traceroute(site: Site, from: LabNode, address: string): Promise<Outcome> {
  const args = ['-n', '-q', '1', '-w', '2', '-m', '6', address];
  const { stdout } = await from.exec('traceroute', args, { allowFailure: true });
  const hops = [...stdout.matchAll(/^ *\d+ +(\S+)/gm)].map(([, hop]) => nameOf(site, hop ?? '*'));
  const ok = hops.at(-1) === address && hops.some((hop) => hop.startsWith('natter-'));
  return { ok, result: hops.join(' > ') };
}

function nameOf(site: Site, address: string): string {
  if (address === CORE_ADDRESS) return 'core';
  if (/^203\.0\.113\./.test(address)) return 'tor';
  return site.natters.find(({ plan }) => plan.uplink.address === address)?.name ?? address;
}

async function iperf(server: LabNode, from: LabNode, address: string): Promise<Outcome> {
  const listener = server.spawn('iperf3', ['-s', '-1', '--forceflush']);
  await listener.ready('listens', () => listener.output().includes('Server listening'));
  const args = ['-c', address, '-t', '1', '-J'];
  const { stdout } = await from.exec('iperf3', args, { allowFailure: true, timeoutMs: 20_000 });
  await listener.stop();
  const report = JSON.parse(stdout || '{}') as {
    end?: { sum_received?: { bits_per_second: number } };
  };
  const rate = report.end?.sum_received?.bits_per_second ?? 0;
  return { ok: rate > 0, result: `${(rate / 1e9).toFixed(2)} Gbit/s` };
}

const seen = (who: string, whom: LabNode): string => `${who} saw ${whom.address}`;

/** Each ISP's client reaches the VM that the others reach, too. */
const fromEach = (site: Site): Check[] =>
  site.clients.flatMap((client, isp) => {
    const to = vmAddress(site, isp);
    const vm = ['vm-1', 'vm-2', 'vm-5'][isp % 3] ?? '';
    return [
      {
        what: 'ping',
        path: `${client.name} > ${EIP.first} (vm-1)`,
        run: () => ping(client, EIP.first),
      },
      {
        what: 'http',
        path: `${client.name} > ${to} (${vm})`,
        run: () => get(client, to, seen(vm, client)),
      },
    ];
  });

function kinds(site: Site): Check[] {
  const [a, b, c] = [clientOf(site, 0), clientOf(site, 1), clientOf(site, 2)];
  const { first, second, shared } = EIP;
  const forwarded = (port: number, vm: string): Check => ({
    what: 'http, forwarded',
    path: `${c.name} > ${shared}:${port} (${vm})`,
    run: () => get(c, `${shared}:${port}`, seen(vm, c)),
  });
  return [
    { what: 'ping in fragments', path: `${b.name} > ${first}`, run: () => ping(b, first, 4000) },
    forwarded(8003, 'vm-3'),
    forwarded(8004, 'vm-4'),
    { what: 'udp', path: `${a.name} > ${second}:7`, run: () => udpEcho(a, second, 7) },
    {
      what: 'udp, forwarded',
      path: `${c.name} > ${shared}:53 (vm-3:7)`,
      run: () => udpEcho(c, shared, 53),
    },
    { what: 'traceroute', path: `${a.name} > ${first}`, run: () => traceroute(site, a, first) },
    {
      what: 'download',
      path: `${c.name} > ${first}`,
      run: () => download(c, first, 64 * MEGABYTE),
    },
    { what: 'iperf3', path: `${b.name} > ${second}`, run: () => iperf(site.vm(2), b, second) },
  ];
}

function outwards(site: Site): Check[] {
  const [a, one] = [clientOf(site, 0), site.vm(1)];
  const { first, second } = EIP;
  return [
    {
      what: 'http, outbound',
      path: `vm-1 > ${a.name}`,
      run: () => get(one, a.address, `${a.name} saw ${first}`),
    },
    {
      what: 'http, hairpin',
      path: `vm-1 > ${second} (vm-2)`,
      run: () => get(one, second, `vm-2 saw ${first}`),
    },
  ];
}

export function eips(site: Site): Step | undefined {
  if (site.natters.length === 0) return undefined;
  const checks = [...fromEach(site), ...kinds(site), ...outwards(site)];
  return {
    title: 'its EIP is reachable from each ISP (in, out: natter:packets, counted at the routers)',
    checks: checks.map((check) => ({ ...check, counted: true })),
  };
}
