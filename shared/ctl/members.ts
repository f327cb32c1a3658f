// Who is alive, how far behind, and waiting until a version is in force everywhere.

import type { Clock } from '../clock.ts';
import { type Service, type Unit, unitsFollowedBy } from '../site/place.ts';
import type { Head, Member, Store } from '../store/types.ts';
import { someNames } from './names.ts';

/** Unheard for longer: silent. Nobody waits for it; what it does is unknown. */
export const LIVE_MS = 10_000;

const FIRST_POLL_MS = 10;
const SLOWEST_POLL_MS = 250;

export type Heard = Member & { ageMs: number };

export function isLive(member: Heard): boolean {
  return member.ageMs <= LIVE_MS;
}

export function appliedVersion(member: Member, unit: string): number {
  return member.applied[unit] ?? 0;
}

/** Why it does not hold the version, in words; undefined when it does. */
export function lagOf(member: Member, unit: string, version: number): string | undefined {
  const behind = version - appliedVersion(member, unit);
  if (member.drift !== undefined && member.drift !== '') return member.drift;
  if (behind < 0) return `ahead of the store, which went back to version ${version}`;
  return behind > 0 ? `${behind} ${behind === 1 ? 'version' : 'versions'} behind` : undefined;
}

/** A unit that a service follows, as it is stored. */
export type Followed = { unit: Unit; head: Pick<Head, 'version' | 'count'> };

/** What the service should have applied; its own unit first. */
export async function headsOf(store: Store, service: Service): Promise<Followed[]> {
  const units = unitsFollowedBy(service);
  return Promise.all(units.map(async (unit) => ({ unit, head: await store.head(unit) })));
}

/** As lagOf(), of all that its service follows; says of which when that is not its own unit. */
export function lagOfAll(member: Member, followed: readonly Followed[]): string | undefined {
  if (member.drift !== undefined && member.drift !== '') return member.drift;
  const lags = followed.flatMap(({ unit, head }) => {
    const lag = lagOf(member, unit, head.version);
    if (lag === undefined) return [];
    return [unit === member.service ? lag : `${unit}: ${lag}`];
  });
  return lags.length === 0 ? undefined : lags.join(', ');
}

/** `1.5s`, `3m`, `2h`: short and never more exact than it matters. */
export function formatAge(ageMs: number): string {
  if (ageMs < 10_000) return `${(Math.max(0, ageMs) / 1000).toFixed(1)}s`;
  const seconds = Math.floor(ageMs / 1000);
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}

export type WaitOptions = {
  store: Store;
  services: readonly string[];
  unit: string;
  timeoutMs: number;
  clock: Clock;
  signal: AbortSignal;
  /** Told what is still missing at each look. */
  progress: (text: string) => void;
};

/** What was seen at the last look. `lagging`: live, but not there yet. */
export type WaitResult = { live: Heard[]; lagging: Heard[]; silent: Heard[] };

/**
 * Looks until every live member is `there`, or time is up. One that is ahead of the store is not:
 * it holds a store that was lost, and not what was stored since.
 */
export async function waitForMembers(
  options: WaitOptions,
  there: (member: Heard) => boolean,
): Promise<WaitResult> {
  const { store, services, unit, timeoutMs, clock, signal, progress } = options;
  const deadline = clock.monotonicMs() + timeoutMs;
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 1.5, SLOWEST_POLL_MS)) {
    const heard = await Promise.all(services.map((service) => store.members(service)));
    const members = heard.flat();
    const { version } = await store.head(unit); // after the members: by rights none is ahead of it
    const live = members.filter(isLive);
    const isAhead = (member: Heard) => appliedVersion(member, unit) > version;
    const lagging = live.filter((member) => isAhead(member) || !there(member));
    const silent = members.filter((member) => !isLive(member));
    const leftMs = deadline - clock.monotonicMs();
    if (lagging.length === 0 || leftMs <= 0) return { live, lagging, silent };
    progress(`waiting for ${nodeNames(lagging)}`);
    await clock.sleep(Math.min(pollMs, leftMs), signal);
  }
}

/** Until every live member of the services has applied the version. */
export function waitApplied(options: WaitOptions, version: number): Promise<WaitResult> {
  return waitForMembers(options, (member) => appliedVersion(member, options.unit) >= version);
}

export function nodeNames(members: readonly Member[]): string {
  return someNames(members.map(({ node }) => node));
}

/** One line for each that lags: how far it is and why. */
export function lagLines(members: readonly Heard[], unit: string, version: number): string[] {
  return members.map((member) => {
    const applied = appliedVersion(member, unit);
    const lag = applied > version ? lagOf(member, unit, version) : member.drift;
    const why = lag ? `: ${lag}` : '';
    const about = `${member.state}, heard ${formatAge(member.ageMs)} ago`;
    return `${member.node} is at version ${applied} of ${version} (${about})${why}`;
  });
}
