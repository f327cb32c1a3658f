// Doctor: what the running daemons may do, read from /proc: capabilities, and open files.
import type { Service } from '../../site/place.ts';
import { rowsOf } from '../control.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import type { Host } from './host.ts';
import { type Daemon, listAt, textAt, valueAt } from './services.ts';

const BITS = {
  CAP_NET_BIND_SERVICE: 10n,
  CAP_NET_ADMIN: 12n,
  CAP_NET_RAW: 13n,
  CAP_SYS_ADMIN: 21n,
  CAP_PERFMON: 38n,
  CAP_BPF: 39n,
} as const;
type Capability = keyof typeof BITS;

const PROGRAMS: readonly Capability[] = ['CAP_NET_ADMIN', 'CAP_BPF', 'CAP_PERFMON'];
/** What has these rights by the older one, too. */
const BY_SYS_ADMIN: readonly Capability[] = ['CAP_BPF', 'CAP_PERFMON'];
const FILES_WARN = 0.8;
const FILES_FAIL = 0.95;
const LB_CONNECTIONS = 100_000; // the default of limits.connections

type Wanted = { needed: readonly Capability[]; better: readonly Capability[] };

/** As the Privileges of each README say. */
const WANTED: Record<Service, (daemon: Daemon) => Wanted> = {
  natter: ({ config }) => ({
    needed: valueAt(config, 'arp') === true ? [...PROGRAMS, 'CAP_NET_RAW'] : PROGRAMS,
    better: [],
  }),
  dhcpd: () => ({ needed: ['CAP_NET_RAW', 'CAP_NET_BIND_SERVICE'], better: ['CAP_NET_ADMIN'] }),
  dns: () => ({ needed: ['CAP_NET_BIND_SERVICE'], better: ['CAP_NET_RAW', 'CAP_NET_ADMIN'] }),
  lb: ({ config, status }) => {
    const hasL4 =
      listAt(config, 'l4.uplink').length > 0 || (status !== undefined && status.l4 !== null);
    const link = textAt(config, 'vips.link') ?? 'none';
    const forVips: Capability[] = link === 'none' ? [] : ['CAP_NET_ADMIN'];
    return {
      needed: ['CAP_NET_BIND_SERVICE', ...(hasL4 ? PROGRAMS : forVips)],
      better: ['CAP_NET_RAW'],
    };
  },
};

export async function heldCapabilities(host: Host, pid: number | 'self'): Promise<bigint> {
  const status = (await host.read(`/proc/${pid}/status`)) ?? '';
  return BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
}

export function missingOf(held: bigint, wanted: readonly Capability[]): Capability[] {
  const has = (name: Capability) => (held & (1n << BITS[name])) !== 0n;
  return wanted.filter(
    (name) => !has(name) && !(BY_SYS_ADMIN.includes(name) && has('CAP_SYS_ADMIN')),
  );
}

export async function processChecks(host: Host, daemon: Daemon): Promise<Finding[]> {
  const { pid } = daemon;
  if (pid === undefined) return []; // nobody runs, or host.rights says why it is not seen
  return [...(await rights(host, daemon, pid)), ...(await files(host, daemon, pid))];
}

async function rights(host: Host, daemon: Daemon, pid: number): Promise<Finding[]> {
  const { service } = daemon;
  const check = `${service}.rights` as const;
  const { needed, better } = WANTED[service](daemon);
  const held = await heldCapabilities(host, pid);
  const missing = missingOf(held, needed);
  const remedy = `AmbientCapabilities= of edge-${service}.service, then systemctl restart`;
  if (missing.length > 0) {
    return [fail(check, `process ${pid} runs without ${missing.join(', ')}`, remedy)];
  }
  const less = missingOf(held, better);
  if (less.length === 0) return [ok(check, `process ${pid} has the rights it needs`)];
  const what = `process ${pid} runs without ${less.join(', ')}: see Privileges in its README`;
  return [warn(check, what, remedy)];
}

/** The daemon, and of lb its workers, which have the connections. */
async function files(host: Host, daemon: Daemon, pid: number): Promise<Finding[]> {
  const { service, config, status } = daemon;
  const workers = service === 'lb' && status !== undefined ? rowsOf(status, 'workers') : [];
  const pids = workers.flatMap(({ pid: each }) => (typeof each === 'number' ? [each] : []));
  const connections = Number(valueAt(config, 'limits.connections') ?? LB_CONNECTIONS);
  // A connection of a client and one to a target.
  const needed = pids.length === 0 ? 0 : Math.ceil((2 * connections) / pids.length);
  const found = await Promise.all([
    filesOf(host, service, pid, 0),
    ...pids.map((each) => filesOf(host, service, each, needed)),
  ]);
  return found.flat();
}

async function filesOf(
  host: Host,
  service: Service,
  pid: number,
  needed: number,
): Promise<Finding[]> {
  const check = `${service}.files` as const;
  const text = (await host.read(`/proc/${pid}/limits`)) ?? '';
  const limit = Number(/^Max open files\s+(\d+)/m.exec(text)?.[1]);
  if (Number.isNaN(limit)) return [];
  const open = (await host.list(`/proc/${pid}/fd`)).length;
  const remedy = `LimitNOFILE=${Math.max(65_536, 2 * needed)} in its unit, and restart it`;
  const part = open / limit;
  if (part >= FILES_WARN) {
    const level = part < FILES_FAIL ? warn : fail;
    return [level(check, `process ${pid} has ${open} of ${limit} files open`, remedy)];
  }
  if (limit < needed) {
    const what = `process ${pid} may open ${limit} files: limits.connections needs ${needed}`;
    return [warn(check, what, remedy)];
  }
  return [ok(check, `process ${pid} has ${open} of ${limit} files open`)];
}
