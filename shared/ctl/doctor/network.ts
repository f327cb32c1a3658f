// Doctor: forwarding, reverse-path filters, firewall, and offloads that break forwarding.

import { someNames } from '../names.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import type { Host } from './host.ts';

const STRICT = 1;
const ETHERNET = '1'; // ARPHRD_ETHER

export async function forwarding(host: Host): Promise<Finding> {
  const value = (await host.read('/proc/sys/net/ipv4/ip_forward'))?.trim();
  if (value === '1') return ok('net.forwarding', 'IPv4 forwarding is on');
  return fail('net.forwarding', 'IPv4 forwarding is off', 'sysctl -w net.ipv4.ip_forward=1');
}

async function rpFilter(host: Host, name: string): Promise<number> {
  return Number((await host.read(`/proc/sys/net/ipv4/conf/${name}/rp_filter`))?.trim() ?? 0);
}

/** The kernel takes the larger of `all` and the link's own value; 1 is strict. */
export async function reversePath(host: Host): Promise<Finding> {
  const names = await host.list('/proc/sys/net/ipv4/conf');
  const all = await rpFilter(host, 'all');
  const strict: string[] = [];
  for (const name of names) {
    if (name === 'all' || name === 'default' || name === 'lo') continue;
    if (Math.max(all, await rpFilter(host, name)) === STRICT) strict.push(name);
  }
  if (strict.length === 0) return ok('net.rp_filter', 'no link filters strictly by reverse path');
  return warn(
    'net.rp_filter',
    `strict reverse-path filter on ${someNames(strict)}: ` +
      'packets that come another way than replies go are dropped, as with several instances',
    'sysctl -w net.ipv4.conf.all.rp_filter=2, or 0 on the uplink and the inside link',
  );
}

/** Chains at the forward hook whose policy is drop, as `family table chain`. */
export function droppingChains(ruleset: string): string[] {
  const parsed: unknown = JSON.parse(ruleset);
  const list = isObject(parsed) && Array.isArray(parsed.nftables) ? parsed.nftables : [];
  return list.flatMap((entry: unknown) => {
    const chain = isObject(entry) ? entry.chain : undefined;
    if (!isObject(chain) || chain.hook !== 'forward' || chain.policy !== 'drop') return [];
    return [`${chain.family} ${chain.table} ${chain.name}`];
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

export async function firewall(host: Host): Promise<Finding> {
  const check = 'net.firewall';
  const ruleset = await host.run('nft', ['--json', 'list', 'ruleset']);
  // On a busy machine it was once silent, and content with that.
  if (ruleset === undefined || ruleset.trim() === '') {
    return warn(check, 'cannot read the nftables rules', 'run doctor as root, with nft installed');
  }
  const dropping = droppingChains(ruleset);
  if (dropping.length === 0) return ok(check, 'no firewall chain drops forwarded packets');
  return warn(
    check,
    `forwarded packets are dropped by default in chain ${someNames(dropping)}`,
    'what takes the stack (IP options, fragments, unknown neighbours) needs accept rules there',
  );
}

async function physicalLinks(host: Host): Promise<string[]> {
  const links: string[] = [];
  for (const name of (await host.list('/sys/class/net')).sort()) {
    const type = (await host.read(`/sys/class/net/${name}/type`))?.trim();
    const entries = await host.list(`/sys/class/net/${name}`);
    if (type === ETHERNET && entries.includes('device')) links.push(name);
  }
  return links;
}

/**
 * LRO merges packets so that they cannot be sent on, and a list of GRO cannot be translated as one;
 * GRO keeps what is needed to split them. `links`: those of services, bonds and VLANs among them.
 */
export async function offloads(host: Host, links: readonly string[]): Promise<Finding[]> {
  const physical = await physicalLinks(host);
  const all = [...new Set([...physical, ...links])];
  if (all.length === 0) return [ok('net.offloads', 'no physical Ethernet link to check')];
  const judged = all.map((link) => offloadsOf(host, link, physical.includes(link)));
  return (await Promise.all(judged)).flat();
}

async function offloadsOf(host: Host, link: string, isPhysical: boolean): Promise<Finding[]> {
  const check = 'net.offloads';
  const text = await host.run('ethtool', ['-k', link]);
  if (text === undefined) {
    if (!isPhysical) return [];
    return [warn(check, `cannot read the offloads of ${link}`, 'apt install ethtool')];
  }
  const is = (feature: string, state: 'on' | 'off') =>
    new RegExp(`^\\s*${feature}: ${state}`, 'm').test(text);
  const findings: Finding[] = [];
  if (is('large-receive-offload', 'on')) {
    const what = `LRO is on at ${link}: it breaks forwarding`;
    findings.push(fail(check, what, `ethtool -K ${link} lro off`));
  }
  if (is('rx-gro-list', 'on')) {
    const what = `GRO makes lists at ${link}: their packets are not translated one by one`;
    findings.push(warn(check, what, `ethtool -K ${link} rx-gro-list off`));
  }
  if (isPhysical) {
    const wanted: [feature: string, name: string][] = [
      ['generic-receive-offload', 'gro'],
      ['rx-checksumming', 'rx'],
      ['tx-checksumming', 'tx'],
    ];
    for (const [feature, name] of wanted) {
      if (!is(feature, 'off')) continue;
      const what = `${feature} is off at ${link}: packets cost more CPU`;
      findings.push(warn(check, what, `ethtool -K ${link} ${name} on`));
    }
  }
  if (findings.length > 0) return findings;
  return [ok(check, `${link}: no LRO, and what saves CPU is on`)];
}
