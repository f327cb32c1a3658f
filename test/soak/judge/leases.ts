// No address is held by two clients: every ACK that a client heard, in the order of time. Pure.
import type { Facts, Grant, Verdict } from '../facts.ts';

/** Of a release: that it was sent, not that it came; so the address counts as its client's. */
const isRelease = ({ atMs, untilMs }: Grant): boolean => untilMs <= atMs;

export function judgeLeases({ grants, troubles }: Pick<Facts, 'grants' | 'troubles'>): Verdict {
  const held = new Map<string, Grant>();
  const breaches: string[] = [];
  let checked = 0;
  for (const grant of grants.toSorted((a, b) => a.atMs - b.atMs)) {
    const before = held.get(grant.address);
    if (isRelease(grant)) {
      if (before?.mac === grant.mac) held.delete(grant.address);
      continue;
    }
    checked++;
    if (before !== undefined && before.mac !== grant.mac && before.untilMs > grant.atMs) {
      const left = Math.round((before.untilMs - grant.atMs) / 1000);
      const { address, mac } = grant;
      breaches.push(`${address}: ${before.mac} has it for ${left} s more, and ${mac} got it`);
    }
    // An earlier promise to the same client stands, however short the later one is.
    const untilMs = before?.mac === grant.mac ? Math.max(before.untilMs, grant.untilMs) : 0;
    held.set(grant.address, { ...grant, untilMs: Math.max(untilMs, grant.untilMs) });
  }
  const twice = troubles.filter(({ kind }) => kind === 'duplicate');
  breaches.push(...twice.map(({ what }) => what));
  return { invariant: 'no address with two clients', checked, breaches };
}
