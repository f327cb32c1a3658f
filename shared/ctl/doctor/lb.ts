// Doctor: what the site of the lb on this host needs of it: addresses of servers and listeners on a
// link, programs on links, ways to the targets.
import { parseEndpoint } from '../../net/ports.ts';
import { parseTarget } from '../../site/target-pool.ts';
import { fieldsOf, listOf, rowsOf, textOf } from '../control.ts';
import { type Fields, optional } from '../lease.ts';
import { someNames } from '../names.ts';
import { filterOn } from './filters.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import type { Host } from './host.ts';
import { lbHost, lbParts } from './lb-parts.ts';
import { type Daemon, listAt } from './services.ts';

/** A process each; a way to some tells of the others. */
const MOST_ROUTES = 32;

export async function lbChecks(host: Host, daemon: Daemon, siblings: number): Promise<Finding[]> {
  const { config, status } = daemon;
  const own = await lbHost(host, config, siblings);
  if (status === undefined) return own;
  return [
    ...(await attached(host, status)),
    ...(await addresses(host, status)),
    ...(await ways(host, status)),
    ...lbParts(status),
    ...own,
  ];
}

/** It has programs in the kernel, or shall. */
export function hasL4({ config, status }: Daemon): boolean {
  return status === undefined ? listAt(config, 'l4.uplink').length > 0 : status.l4 !== null;
}

/** Packets are forwarded to targets, and their replies back. */
export function hasNat({ status }: Daemon): boolean {
  return status !== undefined && rowsOf(status, 'servers').some(({ mode }) => mode === 'nat');
}

async function attached(host: Host, status: Fields): Promise<Finding[]> {
  const { l4 } = status;
  if (l4 === null) {
    if (rowsOf(status, 'servers').length === 0) return [];
    const what = 'lb has no links: it serves none of the virtual servers';
    return [warn('lb.links', what, 'name links in l4.uplink and l4.inside of lb.yaml')];
  }
  const rows = rowsOf(fieldsOf(l4, 'l4'), 'links');
  const found = rows.map(async (row) => {
    const link = textOf(row, 'link');
    const isThere = row.attached === true && (await filterOn(host, link, row.hook, 'lb_'));
    if (!isThere) {
      const remedy = `is the link there (ip link show ${link})? Else see the log of lb`;
      return fail('lb.links', `the programs are not on ${link}`, remedy);
    }
    if (row.up === true) return ok('lb.links', `the programs are on ${link}`);
    return fail('lb.links', `${link} is down`, `ip link set ${link} up`);
  });
  return Promise.all(found);
}

/** Where a listener has one, it cannot be bound without; a server's is served all the same. */
async function addresses(host: Host, status: Fields): Promise<Finding[]> {
  const check = 'lb.vips';
  const vips = fieldsOf(status.vips, 'vips');
  const problem = optional(vips, 'problem');
  const wanted = listOf(vips, 'addresses').map(String);
  if (problem !== undefined) return [fail(check, problem, 'see the log of lb')];
  if (wanted.length === 0) return [];
  const present = await hostAddresses(host);
  if (present === undefined) {
    return [warn(check, 'cannot read the addresses of this host', 'apt install iproute2')];
  }
  const missing = wanted.filter((address) => !present.has(address));
  if (missing.length === 0) return [ok(check, `this host has ${someNames(wanted)}`)];
  const listening = new Set(
    rowsOf(status, 'listeners').flatMap((row) =>
      listOf(row, 'at').map((at) => parseEndpoint(String(at))?.host ?? ''),
    ),
  );
  const remedy = `write vips: { link: lo } in lb.yaml, or: ip address add ${missing[0]}/32 dev lo`;
  const unbound = missing.filter((address) => listening.has(address));
  if (unbound.length > 0) {
    return [fail(check, `listeners cannot be bound to ${someNames(unbound)}: on no link`, remedy)];
  }
  const what = `${someNames(missing)} on no link: this host answers neither ping nor ARP for it`;
  return [warn(check, what, remedy)];
}

async function hostAddresses(host: Host): Promise<ReadonlySet<string> | undefined> {
  const text = await host.run('ip', ['-json', 'address', 'show']);
  if (text === undefined) return undefined;
  const links = JSON.parse(text) as { addr_info?: { local?: string }[] }[]; // iproute2's form
  return new Set(
    links.flatMap(({ addr_info: all = [] }) => all.flatMap(({ local }) => local ?? [])),
  );
}

type Way = { gateway?: string; dev?: string };

/** A target needs a way there; of dsr it is on a link of this host (docs/balancing.md, K6). */
async function ways(host: Host, status: Fields): Promise<Finding[]> {
  const check = 'lb.routes';
  const direct = new Set(
    rowsOf(status, 'servers').flatMap((row) => (row.mode === 'dsr' ? [row.pool] : [])),
  );
  const places = new Map<string, { address: string; pool: string; isDirect: boolean }>();
  for (const row of rowsOf(status, 'targets')) {
    const [pool, target] = [textOf(row, 'pool'), textOf(row, 'target')];
    const address = parseTarget(target)?.address ?? target;
    const isDirect = direct.has(pool);
    if (isDirect || !places.has(address)) places.set(address, { address, pool, isDirect });
  }
  if (places.size === 0) return [];
  const asked = [...places.values()].slice(0, MOST_ROUTES);
  const found = await Promise.all(
    asked.map(async ({ address, pool, isDirect }): Promise<Finding[]> => {
      const text = await host.run('ip', ['-json', 'route', 'get', address]);
      const [way] = JSON.parse(text ?? '[]') as Way[]; // iproute2's form
      const target = `target ${address} of pool ${pool}`;
      if (way === undefined) {
        return [fail(check, `there is no route to ${target}`, `see: ip route get ${address}`)];
      }
      if (!isDirect || way.gateway === undefined) return [];
      const what = `${target} is behind ${way.gateway}: dsr needs it on a link of this host`;
      return [fail('lb.dsr', what, 'serve it with mode nat, or put both on one link')];
    }),
  );
  const bad = found.flat();
  const most = places.size > asked.length ? ` of the first ${asked.length} targets` : '';
  return bad.length > 0 ? bad : [ok(check, `there is a route to every target${most}`)];
}
