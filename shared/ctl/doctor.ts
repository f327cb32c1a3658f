// `doctor`: every check, one line each, with what to do about it.

import { OperationalError } from '../errors.ts';
import { SERVICES } from '../site/place.ts';
import type { Store } from '../store/types.ts';
import type { Arguments, Run } from './command.ts';
import type { Context } from './context.ts';
import { memberChecks, storeChecks } from './doctor/cluster.ts';
import { type Finding, fail, type Level } from './doctor/finding.ts';
import * as kernel from './doctor/kernel.ts';
import * as network from './doctor/network.ts';
import { EXIT } from './exit.ts';
import { headsOf } from './members.ts';
import type { Colour } from './output.ts';
import { findStore } from './session.ts';
import { writeJsonArray } from './table.ts';

const COLOURS: Record<Level, Colour> = { ok: 'green', warn: 'yellow', fail: 'red' };

/** Most of it is what natter needs: a host of a site without any is not judged by that. */
async function hostFindings({ host }: Context, hasNatters: boolean): Promise<Finding[]> {
  if (!hasNatters) return [kernel.kernelVersion(host)];
  const groups = await Promise.all([
    kernel.rights(host),
    kernel.kernelVersion(host),
    kernel.btf(host),
    kernel.features(host),
    kernel.tcx(host),
    kernel.bpffs(host),
    kernel.libbpf(host),
    network.forwarding(host),
    network.reversePath(host),
    network.firewall(host),
    network.offloads(host),
  ]);
  return groups.flat();
}

type Cluster = { findings: Finding[]; hasNatters: boolean };

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
    return { findings: [fail('store.reach', error.message, remedy)], hasNatters: true };
  }
}

async function storeFindings(store: Store, url: string): Promise<Cluster> {
  const findings = await storeChecks(store, url);
  if (findings[0]?.level !== 'ok') return { findings, hasNatters: true };
  const used = new Set<string>();
  const checks = new Map<string, Finding[]>();
  for (const service of SERVICES) {
    const members = await store.members(service);
    const followed = await headsOf(store, service); // after the members: none is ahead by rights
    const isStored = followed.some(({ head }) => head.version > 0);
    if (members.length > 0 || isStored) used.add(service);
    checks.set(service, memberChecks(service, members, followed));
  }
  // Where nothing was ever stored or heard, the site is about to begin: with natter, mostly.
  const hasNatters = used.has('natter') || used.size === 0;
  const shown = [...checks].filter(([name]) => (name === 'natter' ? hasNatters : used.has(name)));
  return { findings: [...findings, ...shown.flatMap(([, found]) => found)], hasNatters };
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
  const findings = [...(await hostFindings(context, cluster.hasNatters)), ...cluster.findings];
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
