// A name leads to an address inside of the client's own ISP, and follows health.
import type { LabNode } from '../node.ts';
import { until } from '../ready.ts';
import type { Site } from '../site.ts';
import { dnsAddresses, vmAddress, vmName } from '../site-objects.ts';
import { get, lookUp } from './ask.ts';
import { type Check, clientOf, type Outcome, type Step } from './step.ts';

const ISPS = 3;

/** Clients of further ISPs are of no line with an answer of its own: any will do. */
export const isRight = (site: Site, isp: number, address: string): boolean =>
  isp < ISPS
    ? address === vmAddress(site, isp)
    : [0, 1, 2].some((own) => address === vmAddress(site, own));

async function inside(site: Site, isp: number, server: string): Promise<Outcome> {
  const from = clientOf(site, isp);
  const address = await lookUp(from, vmName(site), [server]);
  if (address === '') return { ok: false, result: 'no answer' };
  const { result } = await get(from, address, '');
  const ok = isRight(site, isp, address) && result.endsWith(`saw ${from.address}`);
  return { ok, result: `${address}, ${result}` };
}

/** The endpoint of an ISP dies: its clients are told the next one, then their own again. */
async function endpointDies(site: Site, from: LabNode): Promise<Outcome> {
  const [own, next] = [vmAddress(site, 0), vmAddress(site, 1)];
  const told = async (address: string): Promise<string> => {
    const began = performance.now();
    await until(`${from.name} is told ${address} by all`, async () => {
      const asked = dnsAddresses(site).map((server) => lookUp(from, vmName(site), [server]));
      return (await Promise.all(asked)).every((answer) => answer === address);
    });
    return ((performance.now() - began) / 1000).toFixed(1);
  };
  await site.stopServer(site.vm(1));
  const away = await told(next);
  await site.startServer(site.vm(1));
  const back = await told(own);
  return { ok: true, result: `${next} after ${away} s, its own again after ${back} s` };
}

export function names(site: Site): Step | undefined {
  if (site.dnses.length === 0) return undefined;
  const servers = dnsAddresses(site);
  const each = site.clients.flatMap((client, isp) =>
    servers.map((server, at): Check => {
      const path = `${client.name} > ${vmName(site)} by dns-${at + 1}`;
      return { what: 'name', path, run: () => inside(site, isp, server) };
    }),
  );
  const [first] = site.clients;
  if (!first) return undefined;
  const dies = {
    what: 'endpoint dies',
    path: `${first.name} > ${vmName(site)} by each`,
    run: () => endpointDies(site, first),
  };
  return { title: 'a name leads to an address inside the ISP', checks: [...each, dies] };
}
