// Whether a site is well again: every daemon ready and at the store, every router sending to all,
// and every client served. Each problem is a line of words.
import type { LabDaemon } from '../../../lab/daemon.ts';
import { VIPS } from '../../../lab/lb.ts';
import * as plan from '../../../lab/plan.ts';
import { nextHops, type Site } from '../../../lab/site.ts';
import type { Load, Tick, Trouble } from '../facts.ts';
import type { SoakSite } from '../site.ts';
import { pagesOf, sumOf } from './daemons.ts';

/** Of every client, something has to have come of each within this time. */
const STEADY: readonly Load[] = [
  'eip-requests',
  'l4-requests',
  'l7-http',
  'l7-https',
  'dns',
  'dhcp-new',
  'dhcp-renew',
];

async function daemonProblems(daemon: LabDaemon): Promise<string[]> {
  if (daemon.daemon?.exit !== undefined) return [`${daemon.name} does not run`];
  const { isReady, metrics } = await pagesOf(daemon);
  const own = `edge_${daemon.service.name}`;
  const wanted = sumOf(metrics, `${own}_desired_version`);
  const [inForce] = ['version', 'table_version', 'plan_version'].flatMap((name) => {
    return sumOf(metrics, `${own}_${name}`) ?? [];
  });
  const wrong = [
    [isReady, 'is not ready'],
    [sumOf(metrics, 'edge_store_up') === 1, 'has no store'],
    [(sumOf(metrics, `${own}_drift`) ?? 0) === 0, 'drifts'],
    [inForce === wanted, 'has not the newest version in force'],
    [(sumOf(metrics, 'edge_dhcpd_leases_fresh') ?? 1) === 1, 'does not follow the leases'],
  ] as const;
  return wrong.flatMap(([isSo, what]) => (isSo ? [] : [`${daemon.name} ${what}`]));
}

async function routeProblems(lab: Site): Promise<string[]> {
  const uplinks = lab.natters.map((natter) => natter.plan.uplink.address).sort();
  const insides = lab.natters.map((natter) => natter.plan.inside.address).sort();
  const lbs = lab.lbs.map((lb) => lb.plan.uplink.address).sort();
  const [eips, out, vips] = await Promise.all([
    nextHops(lab.tor, ['match', `${plan.BEACON}/32`]),
    nextHops(lab.core, ['default']),
    nextHops(lab.tor, ['match', `${VIPS.isps[0]}/32`]),
  ]);
  const wrong = [
    ['the ToR sends EIPs', eips, uplinks],
    ['the core sends', out, insides],
    ['the ToR sends VIPs', vips, lbs],
  ] as const;
  return wrong.flatMap(([what, is, wanted]) =>
    `${is}` === `${wanted}` ? [] : [`${what} to ${is.join(' and ') || 'nobody'}`],
  );
}

export async function siteProblems({ lab, daemons }: SoakSite): Promise<string[]> {
  const all = await Promise.all([routeProblems(lab), ...daemons.map(daemonProblems)]);
  return all.flat();
}

/** `ticks` and `troubles` of the last seconds; pure. */
export function clientProblems(ticks: readonly Tick[], troubles: readonly Trouble[]): string[] {
  const done = new Set(ticks.filter((tick) => tick.done > 0).map(({ load }) => load));
  const idle = STEADY.filter((load) => !done.has(load)).map((load) => `nothing comes of ${load}`);
  return [...idle, ...troubles.map(({ load, what }) => `${load}: ${what}`)];
}
