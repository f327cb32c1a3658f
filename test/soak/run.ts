// A soak: the site, its loads, the faults one by one as they were planned, and the facts of it all.

import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { LabProcess } from '../../lab/process.ts';
import { until } from '../../lab/ready.ts';
import { kindOf } from './catalogue.ts';
import type { Facts, FaultSeen } from './facts.ts';
import { STRIKES } from './faults/index.ts';
import type { Struck } from './faults/strike.ts';
import { machine, versions } from './machine.ts';
import type { Planned } from './schedule.ts';
import { loadPlans, type SoakSite, soakSite } from './site.ts';
import { leftOf, siteEnd } from './watch/end.ts';
import { clientProblems, siteProblems } from './watch/health.ts';
import { Recorder } from './watch/recorder.ts';

export type SoakOptions = {
  seed: number;
  durationMs: number;
  planned: readonly Planned[];
  isOverlapping: boolean;
  command: string;
  print: (line: string) => void;
  signal: AbortSignal;
};

const CALM_MS = 3000;
const POLL_MS = 1000;
const FIRST_WELL_MS = 60_000;
const LOADS = join(import.meta.dirname, 'loads', 'main.ts');

/** Waits until site and clients are well for some seconds; else throws what is still wrong. */
async function untilWell(
  site: SoakSite,
  recorder: Recorder,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const isWell = async (): Promise<true> => {
    const { ticks, troubles } = recorder.lately(CALM_MS);
    const [first] = [...(await siteProblems(site)), ...clientProblems(ticks, troubles)];
    if (first !== undefined) throw new Error(first);
    return true;
  };
  await until('all is well', isWell, { timeoutMs, everyMs: POLL_MS, signal });
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await pause(ms, undefined, { signal }).catch(() => undefined); // told to end
}

const nameOf = ({ kind, which }: Planned): string =>
  kind === 'redis' || kind === 'appliance' ? kind : `${kind}-${which}`;

/** One fault, from its strike to the site's health. */
async function oneFault(
  site: SoakSite,
  recorder: Recorder,
  planned: Planned,
  signal: AbortSignal,
): Promise<FaultSeen> {
  const kind = kindOf(planned.fault);
  const strike = STRIKES.get(planned.fault);
  if (strike === undefined) throw new RangeError(`nobody does ${planned.fault}`);
  const struckAtMs = Date.now();
  const name = planned.fault;
  let done: Struck | undefined;
  try {
    done = await strike(site, planned);
    await rest(planned.holdMs, signal);
    await done.heal();
  } catch (error) {
    const trouble = `could not be done: ${(error as Error).message}`;
    // How far it came is not known: it may have ended its victim.
    const victim = done?.victim ?? nameOf(planned);
    const struck = done?.struck ?? [victim];
    return { name, victim, struckAtMs, healedAtMs: Date.now(), struck, trouble };
  }
  const { victim, struck } = done;
  const healedAtMs = Date.now();
  const seen = { name, victim, struckAtMs, healedAtMs, struck };
  try {
    await untilWell(site, recorder, kind.recoverMs, signal);
    return { ...seen, recoveredAtMs: Date.now() };
  } catch (error) {
    if (signal.aborted) return { ...seen, isCut: true };
    return { ...seen, trouble: (error as Error).message };
  }
}

async function runFaults(
  site: SoakSite,
  recorder: Recorder,
  options: SoakOptions,
): Promise<FaultSeen[]> {
  const { planned, durationMs, signal, print, isOverlapping } = options;
  const startedMs = performance.now();
  const elapsed = (): number => performance.now() - startedMs;
  const seen: FaultSeen[] = [];
  const running: Promise<void>[] = [];
  for (const next of planned) {
    await rest(next.atMs - elapsed(), signal);
    // Each got over takes its time: what does not fit any more is left out.
    if (signal.aborted || elapsed() + next.holdMs > durationMs) break;
    const one = oneFault(site, recorder, next, signal).then((fault) => {
      seen.push(fault);
      print(lineOf(fault, Math.round(elapsed() / 1000)));
    });
    if (isOverlapping) running.push(one);
    else await one;
  }
  await Promise.all(running);
  await rest(durationMs - elapsed(), signal);
  return seen.sort((a, b) => a.struckAtMs - b.struckAtMs);
}

export function lineOf(fault: FaultSeen, atSeconds: number): string {
  const { name, victim, healedAtMs, recoveredAtMs, trouble } = fault;
  const well = ((recoveredAtMs ?? healedAtMs) - healedAtMs) / 1000;
  const how = trouble ?? `well ${well.toFixed(1)} s after it was healed`;
  const words = [`${String(atSeconds).padStart(5)} s `, name.padEnd(18), victim.padEnd(9), how];
  return words.join(' ').replace(/\s*\n\s*/g, '; ');
}

async function startLoads(site: SoakSite): Promise<LabProcess[]> {
  const iperf = site.lab.vm(1).spawn('iperf3', ['-s', '--forceflush']);
  await iperf.ready('listens', () => iperf.output().includes('Server listening'));
  return loadPlans(site).map(([node, plan]) =>
    node.spawn(process.execPath, [LOADS, JSON.stringify(plan)], { name: 'soak-load' }),
  );
}

/** All that a standing site goes through; its facts. */
async function observed(site: SoakSite, options: SoakOptions): Promise<Facts> {
  const { seed, command, print, signal } = options;
  const loads = await startLoads(site);
  const recorder = new Recorder(site, loads);
  try {
    await untilWell(site, recorder, FIRST_WELL_MS, signal);
    print('all is well; the clock starts');
    const startedAtMs = Date.now();
    const faults = await runFaults(site, recorder, options);
    const dead = loads.filter(({ exit }) => exit !== undefined).map((load) => load.tail());
    await recorder.stop();
    const endedAtMs = Date.now();
    const end = [
      { what: 'loads that ended by themselves', problems: dead },
      { what: 'what loads said besides', problems: recorder.noise },
      ...(await siteEnd(site)),
    ];
    const about = { seed, command, machine: machine(), versions: await versions(site) };
    const seen = recorder.since(startedAtMs);
    return {
      ...about,
      startedAtMs,
      endedAtMs,
      isInterrupted: signal.aborted,
      ...seen,
      faults,
      end,
    };
  } finally {
    await recorder.stop();
  }
}

export async function soak(options: SoakOptions): Promise<Facts> {
  const site = await soakSite();
  let facts: Facts;
  try {
    facts = await observed(site, options);
  } finally {
    await site.lab.down();
  }
  facts.end.push({ what: 'what down() left', problems: leftOf(site.lab.run.id) });
  return facts;
}
