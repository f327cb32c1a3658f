// A request reaches a backend through the lbs: each ISP's www by a VIP of its own, L4 in the kernel
// and L7 with TLS and HTTP/2 in workers; and it does so while backends and lbs come and go.
import { VIPS } from '../lb.ts';
import { OPS_PORT, WWW } from '../lb-objects.ts';
import type { LabNode } from '../node.ts';
import type { Site } from '../site.ts';
import { dnsAddresses } from '../site-objects.ts';
import { get, lookUp, udpEcho, www } from './ask.ts';
import { asking, told } from './asking.ts';
import { type Check, clientOf, type Outcome, type Step } from './step.ts';

const vipOf = (isp: number): string => VIPS.isps[isp % VIPS.isps.length] ?? '';

/** By the address that dns tells, when there is one: a client of the first ISPs has its own. */
async function request(site: Site, isp: number, scheme: 'http' | 'https'): Promise<Outcome> {
  const from = clientOf(site, isp);
  if (site.dnses.length === 0) return www(from, scheme, vipOf(isp));
  const vip = await lookUp(from, 'www', dnsAddresses(site));
  const outcome = await www(from, scheme, vip);
  const isOwn = isp >= VIPS.isps.length || vip === vipOf(isp);
  return { ok: outcome.ok && isOwn, result: outcome.result };
}

/** Checked by their /readyz, and reached through an lb. */
async function pagesThroughLb(site: Site): Promise<Outcome> {
  const pools = [
    ['natters', site.natters.length],
    ['dhcpds', site.dhcpds.length],
    ['dnses', site.dnses.length],
  ] as const;
  const asked = pools.filter(([, count]) => count > 0);
  const answers = await Promise.all(
    asked.map(async ([pool, count]) => {
      const url = `http://${site.lb(1).address}:${OPS_PORT}/${pool}/readyz`;
      const args = ['-sS', '--max-time', '5', url];
      const { stdout } = await site.store.exec('curl', args, { allowFailure: true });
      return { ok: stdout === 'ok\n', text: `${count} ${pool}` };
    }),
  );
  const bad = answers.find(({ ok }) => !ok);
  if (bad) return { ok: false, result: `${bad.text}: not ready` };
  return { ok: true, result: `${answers.map(({ text }) => text).join(', ')}: ready` };
}

async function backendDies(site: Site, from: LabNode): Promise<Outcome> {
  const vm = site.vm(2);
  const ask = async () => (await www(from, 'https', vipOf(0))).ok;
  const seen = await asking(ask, () => site.stopServer(vm));
  await site.startServer(vm);
  return { ok: seen.answered === seen.asked, result: told(seen) };
}

async function lbRestarts(site: Site, from: LabNode): Promise<Outcome> {
  const ask = async () => (await www(from, 'https', vipOf(1))).ok;
  const seen = await asking(ask, () => site.lb(1).restart());
  return { ok: seen.answered === seen.asked, result: told(seen) };
}

const requests = (site: Site): Check[] =>
  site.clients.flatMap((client, isp) => [
    { what: 'L4', path: `${client.name} > ${WWW}:80`, run: () => request(site, isp, 'http') },
    {
      what: 'L7, TLS, HTTP/2',
      path: `${client.name} > https://${WWW}`,
      run: () => request(site, isp, 'https'),
    },
  ]);

export function balance(site: Site): Step | undefined {
  if (site.lbs.length === 0) return undefined;
  const [a, b, c] = [clientOf(site, 0), clientOf(site, 1), clientOf(site, 2)];
  const checks: Check[] = [
    ...requests(site),
    { what: 'L4, udp', path: `${c.name} > ${vipOf(0)}:7`, run: () => udpEcho(c, vipOf(0), 7) },
    {
      what: 'L4, direct return',
      path: `${a.name} > ${VIPS.direct}:80`,
      run: () => direct(a),
    },
  ];
  if (site.natters.length + site.dhcpds.length + site.dnses.length > 0) {
    const path = `store > lb-1:${OPS_PORT}`;
    checks.push({ what: "L7, services' pages", path, run: () => pagesThroughLb(site) });
  }
  const dies = { what: 'backend dies', path: `${a.name} > https://${WWW}` };
  const restarts = { what: 'lb-1 restarts', path: `${b.name} > https://${WWW}` };
  checks.push({ ...dies, run: () => backendDies(site, a) });
  checks.push({ ...restarts, run: () => lbRestarts(site, b) });
  return { title: 'a request reaches a backend, by L4 and by L7', checks };
}

async function direct(from: LabNode): Promise<Outcome> {
  const { result } = await get(from, VIPS.direct, '');
  return { ok: result.endsWith(`saw ${from.address}`), result };
}
