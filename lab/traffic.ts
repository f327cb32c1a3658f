// Real traffic of every kind through a site, by the clients that people use. Each check says what
// it did, how it went, and which natters carried it.
import { DNS_EIPS, dnsObjects, LAB_ZONE } from './dns.ts';
import { lbObjects, wwwObjects } from './lb-objects.ts';
import { lbChecks } from './lb-traffic.ts';
import type { LabNode } from './node.ts';
import { CORE_ADDRESS } from './plan.ts';
import { until } from './ready.ts';
import { testSum } from './server.ts';
import type { Site } from './site.ts';
import { type Passed, witness } from './witness.ts';

export type Report = {
  what: string;
  from: string;
  to: string;
  ok: boolean;
  result: string;
  passed: Passed;
};

export type Outcome = { ok: boolean; result: string };
export type Check = readonly [what: string, from: LabNode, to: string, run: () => Promise<Outcome>];

/** What the checks need to be in force: two mapped VMs, and one EIP that two further VMs share. */
export const siteObjects = (site: Site): Record<string, unknown> => ({
  eips: [
    { address: EIP.first, private: site.vm(1).address },
    { address: EIP.second, private: site.vm(2).address },
    { address: EIP.third, private: site.vm(5).address },
    { address: EIP.shared },
    ...site.dnses.map(({ address }, index) => ({ address: DNS_EIPS[index], private: address })),
  ],
  forwards: [
    { from: `${EIP.shared}:8003/tcp`, to: `${site.vm(3).address}:80` },
    { from: `${EIP.shared}:8004/tcp`, to: `${site.vm(4).address}:80` },
    { from: `${EIP.shared}:53/udp`, to: `${site.vm(3).address}:7` },
  ],
  ...servedObjects(site),
});

/** What dns and lb serve; with lbs www is theirs, and the name that leads to VMs is another one. */
function servedObjects(site: Site): Record<string, unknown> {
  const own = { telecom: EIP.first, unicom: EIP.second, mobile: EIP.third };
  const parts: Record<string, unknown[]>[] = [];
  if (site.dnses.length > 0) parts.push(dnsObjects(own, vmName(site)));
  if (site.lbs.length > 0) parts.push(lbObjects(site.run, site));
  if (site.dnses.length > 0 && site.lbs.length > 0) parts.push(wwwObjects());
  const sections = new Map<string, unknown[]>();
  for (const part of parts) {
    for (const [section, objects] of Object.entries(part)) {
      sections.set(section, [...(sections.get(section) ?? []), ...objects]);
    }
  }
  return Object.fromEntries(sections);
}

const vmName = (site: Site): string => (site.lbs.length > 0 ? 'vm' : 'www');

export const EIP = {
  first: '198.51.100.1',
  second: '198.51.100.2',
  shared: '198.51.100.3',
  third: '198.51.100.4',
};
const MEGABYTE = 1024 * 1024;

async function ping(from: LabNode, to: string, size = 56): Promise<Outcome> {
  const args = ['-c', '5', '-i', '0.1', '-W', '2', '-s', String(size), to];
  const { stdout } = await from.exec('ping', args, { allowFailure: true });
  const received = Number(/(\d+) received/.exec(stdout)?.[1] ?? 0);
  const average = /= [\d.]+\/([\d.]+)\//.exec(stdout)?.[1];
  return { ok: received === 5, result: `${received}/5 back${average ? `, ${average} ms` : ''}` };
}

/** An HTTP request; the answer says who answered, and whom that node saw. */
async function ask(from: LabNode, host: string, expected: string): Promise<Outcome> {
  const args = ['-sS', '--max-time', '5', `http://${host}/`];
  const { stdout, stderr } = await from.exec('curl', args, { allowFailure: true });
  const answer = (stdout || stderr).trim().replace(/ port \d+$/, '');
  return { ok: answer === expected, result: answer };
}

async function udpEcho(from: LabNode, address: string, port: number): Promise<Outcome> {
  const args = ['-t', '2', '-T', '2', '-', `UDP:${address}:${port}`];
  const { stdout } = await from.exec('socat', args, { input: 'echo me', allowFailure: true });
  return { ok: stdout === 'echo me', result: stdout ? `"${stdout}" back` : 'nothing came back' };
}

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
  const args = ['-c', address, '-t', '2', '-J'];
  const { stdout } = await from.exec('iperf3', args, { allowFailure: true, timeoutMs: 20_000 });
  await listener.stop();
  const report = JSON.parse(stdout || '{}') as {
    end?: { sum_received?: { bits_per_second: number } };
  };
  const rate = report.end?.sum_received?.bits_per_second ?? 0;
  return { ok: rate > 0, result: `${(rate / 1e9).toFixed(2)} Gbit/s` };
}

/** The machine's DHCP server dies; the VM boots again and gets its address from the other one. */
async function leaseFromTheOther(site: Site): Promise<Outcome> {
  const vm = site.vm(4);
  const before = vm.address;
  const [first, second] = [site.dhcpd(1), site.dhcpd(2)];
  await first.kill9();
  await vm.dhcp();
  const result = /bound .*/.exec(vm.dhcpLog)?.[0] ?? vm.dhcpLog;
  await first.start();
  const ok = vm.address === before && result.includes(second.address);
  return { ok, result };
}

/** What a client is told of the name by one name server, and who answers there. */
async function vmOf(
  from: LabNode,
  server: string,
  host: string,
): Promise<{ address: string; seen: string }> {
  const query = ['+short', '+timeout=2', '+retry=1', `@${server}`, `${host}.${LAB_ZONE}`, 'A'];
  const { stdout } = await from.exec('kdig', query, { allowFailure: true });
  const address = stdout.trim();
  if (!/^[\d.]+$/.test(address)) return { address: address || 'no answer', seen: '' };
  const { result } = await ask(from, address, '');
  return { address, seen: result };
}

async function ownIsp(
  site: Site,
  from: LabNode,
  server: string,
  wanted: string,
  vm: string,
): Promise<Outcome> {
  const { address, seen } = await vmOf(from, server, vmName(site));
  const ok = address === wanted && seen === `${vm} saw ${from.address}`;
  return { ok, result: `${address}, ${seen}` };
}

/** The endpoint of an ISP dies: its clients are told the next one, then their own again. */
async function ispDies(site: Site, from: LabNode, own: string, next: string): Promise<Outcome> {
  const told = async (address: string): Promise<number> => {
    const began = performance.now();
    await until(`${from.name} is told ${address} by both`, async () => {
      const answers = await Promise.all(DNS_EIPS.map((server) => vmOf(from, server, vmName(site))));
      return answers.every((answer) => answer.address === address);
    });
    return (performance.now() - began) / 1000;
  };
  await site.stopServer(site.vm(1));
  const away = await told(next);
  await site.startServer(site.vm(1));
  const back = await told(own);
  return { ok: true, result: `${next} after ${away.toFixed(1)} s, back in ${back.toFixed(1)} s` };
}

async function otherServer(site: Site, from: LabNode, wanted: string): Promise<Outcome> {
  const [first, second = ''] = DNS_EIPS;
  await site.dns(1).kill9();
  const { address } = await vmOf(from, second, vmName(site));
  await site.dns(1).start();
  const again = await vmOf(from, first ?? '', vmName(site));
  const ok = address === wanted && again.address === wanted;
  return { ok, result: `${address} from dns-2; dns-1 is back` };
}

function dnsChecks(site: Site): Check[] {
  if (site.dnses.length < 2) return [];
  const [telecom, unicom, mobile] = [site.client(1), site.client(2), site.client(3)];
  const [ns1 = '', ns2 = ''] = DNS_EIPS;
  const { first, second, third } = EIP;
  const host = vmName(site);
  return [
    ['dns', telecom, `${host} at ${ns1}`, () => ownIsp(site, telecom, ns1, first, 'vm-1')],
    ['dns', unicom, `${host} at ${ns2}`, () => ownIsp(site, unicom, ns2, second, 'vm-2')],
    ['dns', mobile, `${host} at ${ns1}`, () => ownIsp(site, mobile, ns1, third, 'vm-5')],
    ['dns, endpoint dies', telecom, host, () => ispDies(site, telecom, first, second)],
    ['dns, one killed', unicom, `${host} at ${ns2}`, () => otherServer(site, unicom, second)],
  ];
}

function checks(site: Site): Check[] {
  const [telecom, unicom, mobile] = [site.client(1), site.client(2), site.client(3)];
  const [one, two] = [site.vm(1), site.vm(2)];
  const { first, second, shared } = EIP;
  const seen = (who: string, whom: string): string => `${who} saw ${whom}`;
  const dhcp: Check[] =
    site.dhcpds.length < 2
      ? []
      : [['dhcp, one killed', site.vm(4), 'dhcpd-1, dhcpd-2', () => leaseFromTheOther(site)]];
  return [
    ...dhcp,
    ['ping', telecom, `${first} > vm-1`, () => ping(telecom, first)],
    ['ping in fragments', unicom, `${first} > vm-1`, () => ping(unicom, first, 4000)],
    ['http', unicom, `${second} > vm-2`, () => ask(unicom, second, seen('vm-2', unicom.address))],
    [
      'http, forwarded',
      mobile,
      `${shared}:8003 > vm-3:80`,
      () => ask(mobile, `${shared}:8003`, seen('vm-3', mobile.address)),
    ],
    [
      'http, forwarded',
      mobile,
      `${shared}:8004 > vm-4:80`,
      () => ask(mobile, `${shared}:8004`, seen('vm-4', mobile.address)),
    ],
    ['udp', telecom, `${second}:7 > vm-2`, () => udpEcho(telecom, second, 7)],
    ['udp, forwarded', mobile, `${shared}:53 > vm-3:7`, () => udpEcho(mobile, shared, 53)],
    ['traceroute', telecom, `${first} > vm-1`, () => traceroute(site, telecom, first)],
    ['download', mobile, `${first} > vm-1`, () => download(mobile, first, 64 * MEGABYTE)],
    ['iperf3', unicom, `${second} > vm-2`, () => iperf(two, unicom, second)],
    ['http, outbound', one, 'telecom', () => ask(one, telecom.address, seen('telecom', first))],
    ['http, hairpin', one, `${second} > vm-2`, () => ask(one, second, seen('vm-2', first))],
    ...dnsChecks(site),
    ...lbChecks(site),
  ];
}

/** Sends everything, one check after the other. */
export async function* sendTraffic(site: Site, signal: AbortSignal): AsyncGenerator<Report> {
  for (const [what, from, to, run] of checks(site)) {
    signal.throwIfAborted();
    const { result, passed } = await witness(site, run);
    yield { what, from: from.name, to, ...result, passed };
  }
}
