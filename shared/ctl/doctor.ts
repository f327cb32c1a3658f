// `doctor`: every check, one line each, with what to do about it.

import { OperationalError } from '../errors.ts';
import type { Store } from '../store/types.ts';
import type { Arguments, Run } from './command.ts';
import type { Context } from './context.ts';
import { memberChecks, storeChecks } from './doctor/cluster.ts';
import { type Finding, fail, type Level } from './doctor/finding.ts';
import * as kernel from './doctor/kernel.ts';
import * as network from './doctor/network.ts';
import { EXIT } from './exit.ts';
import { SERVICES } from './members.ts';
import type { Colour } from './output.ts';
import { findStore } from './session.ts';
import { writeJsonArray } from './table.ts';

const COLOURS: Record<Level, Colour> = { ok: 'green', warn: 'yellow', fail: 'red' };

async function hostFindings({ host }: Context): Promise<Finding[]> {
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

async function clusterFindings(context: Context, args: Arguments): Promise<Finding[]> {
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
    return [fail('store.reach', error.message, error.remedy ?? 'look at the log of Redis')];
  }
}

async function storeFindings(store: Store, url: string): Promise<Finding[]> {
  const findings = await storeChecks(store, url);
  if (findings[0]?.level !== 'ok') return findings;
  for (const { service, unit } of SERVICES) {
    const members = await store.members(service);
    const head = await store.head(unit); // after the members: by rights none is ahead of it
    if (unit !== 'natter' && members.length === 0 && head.version === 0) continue; // not in use
    findings.push(...memberChecks(service, members, { unit, version: head.version }));
  }
  return findings;
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
  const [host, cluster] = await Promise.all([
    hostFindings(context),
    clusterFindings(context, args),
  ]);
  const findings = [...host, ...cluster];
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
