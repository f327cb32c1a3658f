// `doctor`: every check, one line each, with what to do about it.

import { dirname } from 'node:path';
import { OperationalError } from '../errors.ts';
import { SERVICES, type Service } from '../site/place.ts';
import type { Store } from '../store/types.ts';
import type { Arguments, Run } from './command.ts';
import type { Context } from './context.ts';
import { memberChecks, storeChecks } from './doctor/cluster.ts';
import { consoleChecks } from './doctor/console.ts';
import { dhcpdChecks } from './doctor/dhcpd.ts';
import { dnsChecks } from './doctor/dns.ts';
import { type Finding, fail, type Level, ok } from './doctor/finding.ts';
import type { Host } from './doctor/host.ts';
import * as kernel from './doctor/kernel.ts';
import { hasL4, hasNat, lbChecks } from './doctor/lb.ts';
import { certificatesIn, expiries, keys } from './doctor/lb-parts.ts';
import * as machine from './doctor/machine.ts';
import { mtu, type Roles } from './doctor/mtu.ts';
import { natterChecks } from './doctor/natter.ts';
import * as network from './doctor/network.ts';
import { processChecks } from './doctor/processes.ts';
import { relayChecks } from './doctor/relays.ts';
import {
  askDaemons,
  type Daemon,
  listAt,
  servicesFinding,
  servicesHere,
} from './doctor/services.ts';
import { EXIT } from './exit.ts';
import { headsOf, isLive } from './members.ts';
import type { Colour } from './output.ts';
import { findStore } from './session.ts';
import { writeJsonArray } from './table.ts';

type Here = ReadonlyMap<Service, Daemon>;

/** With what a site begins, mostly: where nothing is set up at all, it is judged by that. */
const BEGINNING: Service = 'natter';
const COLOURS: Record<Level, Colour> = { ok: 'green', warn: 'yellow', fail: 'red' };

type Judged = { daemons: ReadonlyMap<Service, Daemon>; isBeginning: boolean; lbs: number };

/** What is asked of the host is what the services on it need. */
async function hostFindings(context: Context, judged: Judged): Promise<Finding[]> {
  const { host } = context;
  const { daemons, isBeginning } = judged;
  const [natter, lb] = [daemons.get('natter'), daemons.get('lb')];
  const hasNatter = natter !== undefined || isBeginning;
  const hasPrograms = hasNatter || (lb !== undefined && hasL4(lb));
  const forwards = hasNatter || (lb !== undefined && hasNat(lb));
  const roles = linksOf([natter, lb]);
  const forPrograms = [
    kernel.rights,
    kernel.btf,
    kernel.features,
    kernel.tcx,
    kernel.bpffs,
    kernel.libbpf,
    network.reversePath,
    (of: Host) => network.offloads(of, [...roles.uplink, ...roles.inside]),
    (of: Host) => mtu(of, roles),
  ];
  const checks = [
    kernel.kernelVersion,
    machine.iproute,
    machine.clock,
    machine.conntrack,
    ...(hasPrograms ? forPrograms : []),
    ...(forwards ? [network.forwarding, network.firewall] : []),
  ];
  const groups = await Promise.all(checks.map((check) => check(host)));
  return groups.flat();
}

/** Of natter, and of lb with L4, by their configurations. */
function linksOf(daemons: readonly (Daemon | undefined)[]): Roles {
  const named = (path: string) =>
    daemons
      .flatMap((daemon) => (daemon === undefined ? [] : listAt(daemon.config, path)))
      .map(String);
  return {
    uplink: [...named('links.uplink'), ...named('l4.uplink')],
    inside: [...named('links.inside'), ...named('l4.inside')],
  };
}

/** What each says of itself, what its process may do, and what else it needs. */
async function serviceFindings(context: Context, judged: Judged): Promise<Finding[]> {
  const { host } = context;
  const of: Record<Service, (daemon: Daemon) => Promise<Finding[]>> = {
    natter: (daemon) => natterChecks(host, daemon),
    dhcpd: (daemon) => dhcpdChecks(host, daemon),
    dns: (daemon) => dnsChecks(context, daemon),
    lb: (daemon) => lbChecks(host, daemon, judged.lbs),
  };
  const found = [...judged.daemons.values()].map(async (daemon) => [
    ...daemon.findings,
    ...(await processChecks(host, daemon)),
    ...(await of[daemon.service](daemon)),
  ]);
  return (await Promise.all(found)).flat();
}

/** `isNew`: as far as is known nothing was ever stored or heard. `lbs`: those that live. */
type Cluster = { findings: Finding[]; isNew: boolean; lbs: number };

async function clusterFindings(context: Context, args: Arguments, here: Here): Promise<Cluster> {
  try {
    const config = await findStore(context, args);
    const store = await context.openStore(config);
    try {
      return await storeFindings(context, store, config.url, here);
    } finally {
      await store.close();
    }
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    const remedy = error.remedy ?? 'is Redis running, and is it the right URL?';
    return { findings: [fail('store.reach', error.message, remedy)], isNew: true, lbs: 0 };
  }
}

async function storeFindings(
  context: Context,
  store: Store,
  url: string,
  here: Here,
): Promise<Cluster> {
  const used = new Set<string>();
  const checks = new Map<string, Finding[]>();
  let lbs = 0;
  for (const service of SERVICES) {
    const members = await store.members(service);
    const followed = await headsOf(store, service); // after the members: none is ahead by rights
    // What others follow, too, says nothing of it.
    if (members.length > 0 || (followed[0]?.head.version ?? 0) > 0) used.add(service);
    if (service === 'lb') lbs = members.filter(isLive).length;
    checks.set(service, memberChecks(service, members, followed));
  }
  const isNew = used.size === 0;
  const shown = [...checks].filter(([name]) => used.has(name) || (isNew && name === BEGINNING));
  const needsDurable = here.has('dhcpd') || used.has('dhcpd');
  const findings = [
    ok('store.reach', `the store answers (${url})`),
    ...(await storeChecks(store, context.clock, { needsDurable })),
    ...(await machine.redisHost(context.host, url)),
    ...shown.flatMap(([, found]) => found),
    ...(used.has('lb') ? await certificateFindings(context, store, here) : []),
    ...(here.has('dhcpd') ? await relayChecks(context.host, store) : []),
  ];
  return { findings, isNew, lbs };
}

async function certificateFindings(
  { host, clock }: Context,
  store: Store,
  here: Here,
): Promise<Finding[]> {
  const certificates = await certificatesIn(store);
  const lb = here.get('lb');
  const own = lb === undefined ? [] : await keys(host, lb.config, certificates);
  return [...own, ...expiries(certificates, clock.nowMs())];
}

function lines(context: Context, findings: readonly Finding[]): string[] {
  const width = Math.max(...findings.map(({ check }) => check.length));
  return findings.map(({ level, check, message, remedy }) => {
    const mark = context.out.paint(COLOURS[level], level.padEnd(4));
    const line = `${mark}  ${check.padEnd(width)}  ${message}`;
    return remedy === undefined ? line : `${line}\n${' '.repeat(8 + width)}-> ${remedy}`;
  });
}

export const doctor: Run = async (context, args) => {
  const directory = dirname(args.values.get('config') ?? context.paths.config);
  const here = await servicesHere(context, directory);
  const daemons = await askDaemons(context, directory, here);
  const { findings: cluster, isNew, lbs } = await clusterFindings(context, args, daemons);
  const judged = { daemons, lbs, isBeginning: here.size === 0 && isNew };
  const findings = [
    servicesFinding(context, directory, here),
    ...(await hostFindings(context, judged)),
    ...(await serviceFindings(context, judged)),
    ...(await consoleChecks(context, directory)),
    ...cluster,
  ];
  const count = (level: Level) => findings.filter((finding) => finding.level === level).length;
  const shown = findings.filter(({ level }) => level !== 'ok' || !args.switches.has('problems'));
  if (args.switches.has('json')) {
    await writeJsonArray(context.out, shown.map(withRemedy));
    await context.out.write('\n');
  } else {
    if (shown.length > 0) await context.out.line(lines(context, shown).join('\n'));
    const [failed, warned] = [count('fail'), count('warn')];
    await context.out.line(`${failed} failed, ${warned} to look at, ${count('ok')} ok`);
  }
  return count('fail') > 0 ? EXIT.failure : EXIT.ok;
};

function withRemedy({ level, check, message, remedy }: Finding) {
  return { level, check, message, remedy: remedy ?? null };
}
