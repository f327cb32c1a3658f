// Doctor: the lb of this host: its control socket, whether it serves, and what its site needs of
// the host: addresses of servers and listeners on a link, programs on links, ways to the targets.

import { dirname, join } from 'node:path';
import { describeError, OperationalError } from '../../errors.ts';
import { parseEndpoint } from '../../net/ports.ts';
import { parseTarget } from '../../site/target-pool.ts';
import type { Context } from '../context.ts';
import { fieldsOf, listOf, textOf } from '../control.ts';
import { EXIT } from '../exit.ts';
import { type Fields, optional } from '../lease.ts';
import { someNames } from '../names.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import type { Host } from './host.ts';

const SOCKET = 'lb.socket';
/** A process each; a way to some tells of the others. */
const MOST_ROUTES = 32;

export type LbChecks = {
  findings: Finding[];
  /** It has programs in the kernel, or shall. */
  hasL4: boolean;
  /** Packets are forwarded to targets, and their replies back. */
  hasNat: boolean;
};

export async function lbChecks({ host, paths, openControl }: Context): Promise<LbChecks> {
  let status: Fields;
  try {
    status = fieldsOf(await openControl(join(paths.run, 'lb.sock')).get('/status'), 'status');
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    // What it would need is in its configuration; whether it forwards is in the site.
    const text = await host.read(join(dirname(paths.config), 'lb.yaml'));
    return { findings: [unasked(error)], hasL4: /^l4:/m.test(text ?? ''), hasNat: false };
  }
  const answers = ok(SOCKET, `lb answers: ${textOf(status, 'node')}`);
  if (status.servers === undefined) {
    const starting = warn('lb.ready', 'lb is starting', 'see its log if that lasts');
    return { findings: [answers, starting], hasL4: false, hasNat: false };
  }
  const servers = rowsOf(status, 'servers');
  const findings = [
    answers,
    readiness(status),
    ...attached(status),
    ...(await addresses(host, status)),
    ...(await ways(host, status)),
  ];
  const hasNat = servers.some((row) => row.mode === 'nat');
  return { findings, hasL4: status.l4 !== null, hasNat };
}

function rowsOf(fields: Fields, name: string): Fields[] {
  return listOf(fields, name).map((one) => fieldsOf(one, name));
}

function unasked(error: OperationalError): Finding {
  const text = describeError(error);
  if (error.exitCode === EXIT.permission) return warn(SOCKET, text, 'run doctor as root');
  return fail(SOCKET, text, 'systemctl start edge-lb, and look at its log: journalctl -u edge-lb');
}

function readiness(status: Fields): Finding {
  const check = 'lb.ready';
  const state = textOf(status, 'state');
  const problems = rowsOf(status, 'checks').flatMap((row) => {
    const problem = optional(row, 'problem');
    return problem === undefined ? [] : [`${textOf(row, 'name')}: ${problem}`];
  });
  if (problems.length > 0) {
    return fail(check, `lb is ${state}: ${problems.join('; ')}`, 'see its log and edgectl lb list');
  }
  if (state === 'running') return ok(check, 'lb is ready');
  const remedy = `edgectl undrain ${textOf(status, 'node')}, once it shall carry traffic again`;
  return warn(check, `lb is ${state}`, remedy);
}

function attached(status: Fields): Finding[] {
  const { l4 } = status;
  if (l4 === null) {
    if (rowsOf(status, 'servers').length === 0) return [];
    const what = 'lb has no links: it serves none of the virtual servers';
    return [warn('lb.links', what, 'name links in l4.uplink and l4.inside of lb.yaml')];
  }
  return rowsOf(fieldsOf(l4, 'l4'), 'links').map((row) => {
    const link = textOf(row, 'link');
    if (row.attached !== true) {
      const remedy = `is the link there (ip link show ${link})? Else see the log of lb`;
      return fail('lb.links', `the programs are not on ${link}`, remedy);
    }
    if (row.up === true) return ok('lb.links', `the programs are on ${link}`);
    return fail('lb.links', `${link} is down`, `ip link set ${link} up`);
  });
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
