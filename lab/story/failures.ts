// One instance of each service dies while clients ask, and comes back.
import { VIPS } from '../lb.ts';
import { WWW } from '../lb-objects.ts';
import type { LabNatter } from '../natter.ts';
import type { Site } from '../site.ts';
import { dnsAddresses, EIP, vmName } from '../site-objects.ts';
import { lookUp, www } from './ask.ts';
import { asking, pinging, type Seen, together, told, worst } from './asking.ts';
import { isRight } from './names.ts';
import { type Check, clientOf, type Outcome, type Step } from './step.ts';

/** A VM boots some ten times a second. */
const BOOTS = 5;

const whatIsSeen = (seen: Seen, mayLose = false): Outcome => ({
  ok: seen.isWell && (mayLose || seen.answered === seen.asked),
  result: told(seen),
});

/** Each ISP's client pings; what the one saw that saw most of it. */
async function seenByAll(site: Site, change: () => Promise<unknown>, mayLose: boolean) {
  const once = together(site.clients.length, change);
  const all = await Promise.all(site.clients.map((client) => pinging(client, EIP.first, once)));
  const seen = worst(all);
  return seen ? whatIsSeen(seen, mayLose) : { ok: false, result: 'nobody asked' };
}

async function restarts(natter: LabNatter): Promise<void> {
  await natter.kill9();
  await natter.start();
}

async function machineDies(site: Site, natter: LabNatter): Promise<void> {
  await natter.powerOff();
  await site.converged(site.natters.filter((other) => other !== natter));
  await natter.powerOn();
  await natter.start();
  await natter.untilPeering();
  await site.converged();
}

function natter(site: Site): Check[] {
  const [first] = site.natters;
  if (!first) return [];
  const path = `each ISP > ${EIP.first}, ping`;
  const daemon = { what: 'natter-1, kill -9', path };
  const machine = { what: 'natter-1, power off', path };
  return [
    { ...daemon, run: () => seenByAll(site, () => restarts(first), false) },
    ...(site.natters.length > 1
      ? [{ ...machine, run: () => seenByAll(site, () => machineDies(site, first), true) }]
      : []),
  ];
}

function dhcpd(site: Site): Check[] {
  if (site.dhcpds.length < 2) return [];
  const [first, vm] = [site.dhcpd(1), site.vm(6)];
  const run = async (): Promise<Outcome> => {
    const { address } = vm;
    const boots = async (): Promise<boolean> => {
      await vm.dhcp();
      return vm.address === address;
    };
    const strike = async (): Promise<void> => {
      await first.kill9();
      await first.start();
    };
    return whatIsSeen(await asking(boots, strike, BOOTS));
  };
  return [{ what: 'dhcpd-1, kill -9', path: 'vm-6 boots again and again', run }];
}

function dns(site: Site): Check[] {
  if (site.dnses.length < 2) return [];
  const isp = site.clients.length > 1 ? 1 : 0;
  const from = clientOf(site, isp);
  const ask = async (): Promise<boolean> =>
    isRight(site, isp, await lookUp(from, vmName(site), dnsAddresses(site)));
  const strike = async (): Promise<void> => {
    await site.dns(1).kill9();
    await site.dns(1).start();
  };
  const run = async () => whatIsSeen(await asking(ask, strike));
  return [{ what: 'dns-1, kill -9', path: `${from.name} > ${vmName(site)}, by either`, run }];
}

/** What is open at the instance that dies is lost, and nothing else. */
function lb(site: Site): Check[] {
  if (site.lbs.length < 2) return [];
  const from = clientOf(site, 0);
  const ask = async (): Promise<boolean> => (await www(from, 'https', VIPS.isps[0])).ok;
  const strike = async (): Promise<void> => {
    await site.lb(1).kill9();
    await site.lb(1).start();
  };
  const run = async () => whatIsSeen(await asking(ask, strike), true);
  return [{ what: 'lb-1, kill -9', path: `${from.name} > https://${WWW}`, run }];
}

export const failures = (site: Site): Step => ({
  title: 'one instance of each service dies while clients ask, and comes back',
  checks: [...natter(site), ...dhcpd(site), ...dns(site), ...lb(site)],
});
