// What only shows when all objects are seen together. Pure, and made for a million EIPs: one pass
// to index, one to check, and ports sorted per address.
import type { Ipv4 } from '../net/ipv4.ts';
import { formatIpv4 } from '../net/ipv4.ts';
import { checkDhcp } from './check-dhcp.ts';
import { checkDns } from './check-dns.ts';
import { checkLb } from './check-lb.ts';
import { DhcpObjects } from './dhcp-objects.ts';
import { DnsIndex } from './dns-index.ts';
import type { Eip } from './eip.ts';
import type { Forward } from './forward.ts';
import { formatForwardFrom, toLastPort } from './forward.ts';
import type { Kind, SiteObject } from './kinds.ts';
import { LbIndex } from './lb-index.ts';
import type { ObjectProblem } from './problem.ts';
import { warnDns } from './warn-dns.ts';
import { warnLb } from './warn-lb.ts';

/** `id` names the object to correct, `at` what in it; an object may have several problems. */
export type SiteProblem = ObjectProblem & { kind: Kind; id: string };

/** Ports of one address and protocol that something claims, both ends included. */
type Claim = { first: number; last: number; forward: Forward };

/** Every object of a site, each once. The answer is empty when they go together. */
export function checkSite(objects: Iterable<SiteObject>): SiteProblem[] {
  const site = new SiteIndex();
  const dhcp = new DhcpObjects();
  const dns = new DnsIndex();
  const lb = new LbIndex();
  for (const item of objects) {
    site.add(item);
    dhcp.add(item);
    dns.add(item);
    lb.add(item);
  }
  const { problems } = site;
  for (const eip of site.eips.values()) checkEip(site, eip, problems);
  for (const forward of site.forwards) checkForward(site, forward, problems);
  const { from, to } = claimsOf(site.forwards);
  checkClaims(from, 'from some of the same ports', problems);
  checkClaims(to, 'to some of the same private ports', problems);
  checkDhcp(dhcp, problems);
  checkDns(dns, problems);
  checkLb(lb, problems);
  return problems;
}

/**
 * Of objects that go together, what is most likely not as it was meant. `nowSeconds` is since 1970.
 */
export function warnSite(objects: Iterable<SiteObject>, nowSeconds: number): SiteProblem[] {
  const all = [...objects];
  return [...warnDns(DnsIndex.of(all), nowSeconds), ...warnLb(LbIndex.of(all))];
}

class SiteIndex {
  /** Found while indexing. */
  readonly problems: SiteProblem[] = [];
  readonly eips = new Map<Ipv4, Eip>();
  readonly forwards: Forward[] = [];
  readonly groups = new Set<string>();
  /** Private address -> the first EIP that maps to it. */
  readonly mapped = new Map<Ipv4, Eip>();
  /** Private address -> a forward that leads to it. */
  readonly forwarded = new Map<Ipv4, Forward>();

  add(item: SiteObject): void {
    if (item.kind === 'eip') this.#addEip(item.object);
    else if (item.kind === 'forward') this.#addForward(item.object);
    else if (item.kind === 'group') this.groups.add(item.object.name);
  }

  #addEip(eip: Eip): void {
    this.eips.set(eip.address, eip);
    if (eip.private === undefined) return;
    const first = this.mapped.get(eip.private);
    if (first === undefined) {
      this.mapped.set(eip.private, eip);
    } else {
      const inside = formatIpv4(eip.private);
      const message = `${inside} is mapped by EIP ${formatIpv4(first.address)} already`;
      this.problems.push({ kind: 'eip', id: formatIpv4(eip.address), message });
    }
  }

  #addForward(forward: Forward): void {
    this.forwards.push(forward);
    if (!this.forwarded.has(forward.toAddress)) this.forwarded.set(forward.toAddress, forward);
  }
}

function checkEip(site: SiteIndex, eip: Eip, problems: SiteProblem[]): void {
  const report = (message: string, remedy?: string) =>
    problems.push({ kind: 'eip', id: formatIpv4(eip.address), message, ...withRemedy(remedy) });
  if (eip.group !== undefined && !site.groups.has(eip.group)) {
    report(`there is no group ${JSON.stringify(eip.group)}`, 'add it under groups');
  }
  const owner = site.mapped.get(eip.address);
  if (owner !== undefined && owner !== eip) {
    report(`it is also the private address of EIP ${formatIpv4(owner.address)}`);
  }
  const forward = site.forwarded.get(eip.address);
  if (forward !== undefined && forward.eip !== eip.address) {
    report(`it is also the private address of forward ${formatForwardFrom(forward)}`);
  }
}

function checkForward(site: SiteIndex, forward: Forward, problems: SiteProblem[]): void {
  const report = (message: string, remedy?: string) =>
    problems.push({
      kind: 'forward',
      id: formatForwardFrom(forward),
      message,
      ...withRemedy(remedy),
    });
  if (!site.eips.has(forward.eip)) {
    report(`there is no EIP ${formatIpv4(forward.eip)}`, 'add it under eips');
  }
  const owner = site.mapped.get(forward.toAddress);
  if (owner !== undefined && owner.address !== forward.eip) {
    const inside = formatIpv4(forward.toAddress);
    report(`${inside} is mapped by another EIP, ${formatIpv4(owner.address)}`);
  }
}

function claimsOf(forwards: readonly Forward[]) {
  const from = new Map<number, Claim[]>();
  const to = new Map<number, Claim[]>();
  for (const forward of forwards) {
    const { eip, toAddress, protocol, firstPort, lastPort, toFirstPort } = forward;
    claim(from, eip * 256 + protocol, { first: firstPort, last: lastPort, forward });
    const last = toLastPort(forward);
    claim(to, toAddress * 256 + protocol, { first: toFirstPort, last, forward });
  }
  return { from, to };
}

function claim(claims: Map<number, Claim[]>, key: number, made: Claim): void {
  const list = claims.get(key);
  if (list === undefined) claims.set(key, [made]);
  else list.push(made);
}

/** Sorted by where they begin, a range overlaps if it begins before the furthest end so far. */
function checkClaims(claims: Map<number, Claim[]>, what: string, problems: SiteProblem[]): void {
  for (const list of claims.values()) {
    if (list.length < 2) continue;
    list.sort((a, b) => a.first - b.first || a.last - b.last);
    let widest: Claim | undefined;
    for (const made of list) {
      if (widest !== undefined && made.first <= widest.last) {
        const message = `forward ${formatForwardFrom(widest.forward)} leads ${what}`;
        problems.push({ kind: 'forward', id: formatForwardFrom(made.forward), message });
      }
      if (widest === undefined || made.last > widest.last) widest = made;
    }
  }
}

function withRemedy(remedy: string | undefined): { remedy?: string } {
  return remedy === undefined ? {} : { remedy };
}
