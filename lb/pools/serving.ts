// Which targets of a pool serve: health, drain, weights, tiers, ejection, fail-open (K3's order,
// and dns' for weights of 0). Pure.
import type { PoolProxy } from '../../shared/site/lb-objects.ts';
import type { Member } from './member.ts';
import type { Skipped } from './types.ts';

/** Slow start goes in steps, so that tables of hashes are made anew ten times and not always. */
const STEPS = 10;

export type Serving = {
  /** Who may be picked. */
  members: readonly Member[];
  /** All of their tier, whether they serve now or not: tables made of these move little. */
  tier: readonly Member[];
  isFailOpen: boolean;
  /** When time alone changes it. */
  untilMs: number;
};

/** Sets weight, isServing and skipped of each member. */
export function servingOf(all: readonly Member[], proxy: PoolProxy, nowMs: number): Serving {
  let untilMs = Number.POSITIVE_INFINITY;
  for (const member of all) {
    member.weight = member.state.weight * startedShare(member, proxy.slowStartMs, nowMs);
    untilMs = Math.min(untilMs, nextStepMs(member, proxy.slowStartMs, nowMs));
    const { probeMs } = member.ejection;
    if (probeMs > nowMs) untilMs = Math.min(untilMs, probeMs);
  }
  const { members, isFailOpen } = choose(all, proxy.failOpenPercent, nowMs);
  const level = members[0]?.state.tier;
  const isWeighted = members.some(({ state }) => state.weight > 0);
  const tier = all.filter(({ state }) => state.tier === level && (state.weight > 0 || !isWeighted));
  const chosen = new Set(members);
  for (const member of all) {
    member.isServing = chosen.has(member);
    member.skipped = member.isServing ? undefined : reason(member, nowMs);
  }
  // Where all weights are 0, all are alike.
  if (!isWeighted) for (const member of tier) member.weight = 1;
  return { members, tier, isFailOpen, untilMs };
}

function choose(
  all: readonly Member[],
  failOpenPercent: number,
  nowMs: number,
): { members: readonly Member[]; isFailOpen: boolean } {
  const up = all.filter(({ state }) => state.health === 'up');
  const undrained = all.filter(({ state }) => state.health !== 'drain');
  const usable = weighted(up.length > 0 || failOpenPercent === 0 ? up : undrained);
  const serving = lowestTier(unejected(usable, nowMs));
  // Drained targets are nobody's failure. The share is of the tier that serves: others' health does
  // not bring back a tier that is gone.
  const level = serving[0]?.state.tier;
  const tier = undrained.filter(({ state }) => state.tier === level);
  const healthy = tier.filter(({ state }) => state.health === 'up').length;
  const isFailOpen = tier.length > 0 && (100 * healthy) / tier.length < failOpenPercent;
  if (!isFailOpen) return { members: serving, isFailOpen };
  return { members: unejected(weighted(tier), nowMs), isFailOpen };
}

function weighted(members: readonly Member[]): readonly Member[] {
  const some = members.filter(({ state }) => state.weight > 0);
  return some.length > 0 ? some : members;
}

/** Ejection leaves somebody, always. */
function unejected(members: readonly Member[], nowMs: number): readonly Member[] {
  const some = members.filter(({ ejection }) => ejection.mayServe(nowMs));
  return some.length > 0 ? some : members;
}

function lowestTier(members: readonly Member[]): readonly Member[] {
  const level = members.reduce(
    (least, { state }) => Math.min(least, state.tier),
    Number.POSITIVE_INFINITY,
  );
  return members.filter(({ state }) => state.tier === level);
}

function reason(member: Member, nowMs: number): Skipped {
  const { health, weight } = member.state;
  if (health !== 'up') return health;
  if (!member.ejection.mayServe(nowMs)) return 'ejected';
  if (weight === 0) return 'weight-0';
  return 'tier';
}

/** 0.1 to 1, in tenths. */
function startedShare(member: Member, slowStartMs: number, nowMs: number): number {
  if (member.state.health !== 'up') return 1;
  const elapsedMs = nowMs - member.upSinceMs;
  if (elapsedMs >= slowStartMs) return 1;
  return Math.max(1, Math.floor((STEPS * elapsedMs) / slowStartMs)) / STEPS;
}

function nextStepMs(member: Member, slowStartMs: number, nowMs: number): number {
  const elapsedMs = nowMs - member.upSinceMs;
  if (member.state.health !== 'up' || elapsedMs >= slowStartMs) return Number.POSITIVE_INFINITY;
  const step = Math.floor((STEPS * elapsedMs) / slowStartMs) + 1;
  return member.upSinceMs + (step * slowStartMs) / STEPS;
}
