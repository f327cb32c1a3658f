// `doctor`: every check, one line each, with what to do about it.

import { dirname, join } from 'node:path';
import { OperationalError } from '../errors.ts';
import { SERVICES, type Service } from '../site/place.ts';
import type { Store } from '../store/types.ts';
import type { Arguments, Run } from './command.ts';
import type { Context } from './context.ts';
import { memberChecks, storeChecks } from './doctor/cluster.ts';
import { type Finding, fail, type Level, ok } from './doctor/finding.ts';
import * as kernel from './doctor/kernel.ts';
import { lbChecks } from './doctor/lb.ts';
import * as network from './doctor/network.ts';
import { EXIT } from './exit.ts';
import { headsOf } from './members.ts';
import type { Colour } from './output.ts';
import { findStore } from './session.ts';
import { writeJsonArray } from './table.ts';

/** With what a site begins, mostly: where nothing is set up at all, it is judged by that. */
const BEGINNING: Service = 'natter';
const COLOURS: Record<Level, Colour> = { ok: 'green', warn: 'yellow', fail: 'red' };

/** By its configuration, or its control socket: services that shall run on this host, or do. */
async function servicesHere({ host, paths }: Context): Promise<ReadonlySet<Service>> {
  const files = await host.list(dirname(paths.config));
  const sockets = await host.list(paths.run);
  const isHere = (service: Service) =>
    files.includes(`${service}.yaml`) || sockets.includes(`${service}.sock`);
  return new Set(SERVICES.filter(isHere));
}

function servicesFinding({ paths }: Context, here: ReadonlySet<Service>): Finding {
  const check = 'host.services';
  if (here.size > 0) return ok(check, `set up on this host: ${[...here].join(', ')}`);
  const file = join(dirname(paths.config), '<service>.yaml');
  return ok(check, `none is set up on this host: no ${file}, no socket in ${paths.run}`);
}

/** What is asked of the host is what the services on it need. */
async function hostFindings(context: Context, judged: ReadonlySet<Service>): Promise<Finding[]> {
  const { host } = context;
  const lb = judged.has('lb') ? await lbChecks(context) : undefined;
  const hasPrograms = judged.has('natter') || lb?.hasL4 === true;
  const forwards = judged.has('natter') || lb?.hasNat === true;
  const forPrograms = [
    kernel.rights,
    kernel.btf,
    kernel.features,
    kernel.tcx,
    kernel.bpffs,
    kernel.libbpf,
    network.reversePath,
    network.offloads,
  ];
  const checks = [
    kernel.kernelVersion,
    ...(hasPrograms ? forPrograms : []),
    ...(forwards ? [network.forwarding, network.firewall] : []),
  ];
  const groups = await Promise.all(checks.map((check) => check(host)));
  return [...groups.flat(), ...(lb?.findings ?? [])];
}

/** `isNew`: as far as is known nothing was ever stored or heard. */
type Cluster = { findings: Finding[]; isNew: boolean };

async function clusterFindings(context: Context, args: Arguments): Promise<Cluster> {
  try {
    const config = await findStore(context, args);
    const store = await context.openStore(config);
    try {
      return await storeFindings(store, config.url);
    } finally {
      await store.close();
    }
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    const remedy = error.remedy ?? 'is Redis running, and is it the right URL?';
    return { findings: [fail('store.reach', error.message, remedy)], isNew: true };
  }
}

async function storeFindings(store: Store, url: string): Promise<Cluster> {
  const findings = await storeChecks(store, url);
  if (findings[0]?.level !== 'ok') return { findings, isNew: true };
  const used = new Set<string>();
  const checks = new Map<string, Finding[]>();
  for (const service of SERVICES) {
    const members = await store.members(service);
    const followed = await headsOf(store, service); // after the members: none is ahead by rights
    // What others follow, too, says nothing of it.
    if (members.length > 0 || (followed[0]?.head.version ?? 0) > 0) used.add(service);
    checks.set(service, memberChecks(service, members, followed));
  }
  const isNew = used.size === 0;
  const shown = [...checks].filter(([name]) => used.has(name) || (isNew && name === BEGINNING));
  return { findings: [...findings, ...shown.flatMap(([, found]) => found)], isNew };
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
  const cluster = await clusterFindings(context, args);
  const here = await servicesHere(context);
  const isBeginning = here.size === 0 && cluster.isNew;
  const judged = isBeginning ? new Set([BEGINNING]) : here;
  const own = [servicesFinding(context, here), ...(await hostFindings(context, judged))];
  const findings = [...own, ...cluster.findings];
  const count = (level: Level) => findings.filter((finding) => finding.level === level).length;
  if (args.switches.has('json')) {
    await writeJsonArray(context.out, findings.map(withRemedy));
    await context.out.write('\n');
  } else {
    await context.out.line(lines(context, findings).join('\n'));
    const [failed, warned] = [count('fail'), count('warn')];
    await context.out.line(`${failed} failed, ${warned} to look at, ${count('ok')} ok`);
  }
  return count('fail') > 0 ? EXIT.failure : EXIT.ok;
};

function withRemedy({ level, check, message, remedy }: Finding) {
  return { level, check, message, remedy: remedy ?? null };
}
