// Doctor: the parts of the lb on this host: workers and listeners; and what it is given: settings
// of the kernel, its secret, and the keys of certificates.
import { join } from 'node:path';
import type { Store } from '../../store/types.ts';
import { factsOf } from '../certificates.ts';
import { numberOf, rowsOf, textOf } from '../control.ts';
import { type Fields, optional } from '../lease.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import type { Host } from './host.ts';
import { textAt } from './services.ts';

const LEAST_BACKLOG = 4096;
const LEAST_PORTS = 20_000;
const DAY_MS = 86_400_000;
const SOON_DAYS = 14;
const OTHERS = 0o007;

/** What it says of itself. */
export function lbParts(status: Fields): Finding[] {
  return [...workers(status), ...listeners(status)];
}

function workers(status: Fields): Finding[] {
  const check = 'lb.workers';
  const rows = rowsOf(status, 'workers');
  const gone = rows.filter(({ pid }) => pid === null).length;
  const remedy = 'see worker-ended and worker-failed in its log';
  if (gone > 0) return [fail(check, `${gone} of ${rows.length} workers do not run`, remedy)];
  const restarts = rows.reduce((sum, row) => sum + numberOf(row, 'restarts'), 0);
  if (restarts === 0) return [ok(check, `${rows.length} workers run`)];
  return [warn(check, `workers ended ${restarts} times and were started again`, remedy)];
}

function listeners(status: Fields): Finding[] {
  const check = 'lb.listeners';
  const rows = rowsOf(status, 'listeners');
  const bad = rows.flatMap((row) => {
    const problem = optional(row, 'problem');
    return problem === undefined ? [] : [`${textOf(row, 'listener')}: ${problem}`];
  });
  if (bad.length > 0) return bad.map((what) => fail(check, what, 'who has the port? ss -ltnp'));
  return rows.length === 0 ? [] : [ok(check, 'every listener is bound')];
}

/** `siblings`: live lbs of the site. */
export async function lbHost(host: Host, config: Fields, siblings: number): Promise<Finding[]> {
  return [...(await kernelSettings(host)), ...(await secret(host, config, siblings))];
}

async function kernelSettings(host: Host): Promise<Finding[]> {
  const check = 'lb.kernel';
  const findings: Finding[] = [];
  const backlog = Number(await host.read('/proc/sys/net/core/somaxconn'));
  if (backlog < LEAST_BACKLOG) {
    const what = `net.core.somaxconn is ${backlog}: bursts of new connections are lost`;
    findings.push(warn(check, what, `sysctl -w net.core.somaxconn=${LEAST_BACKLOG}`));
  }
  const range = (await host.read('/proc/sys/net/ipv4/ip_local_port_range')) ?? '';
  const [first = 0, last = 65_535] = range.trim().split(/\s+/).filter(Boolean).map(Number);
  if (last - first < LEAST_PORTS) {
    const what = `${last - first + 1} local ports: so many connections to one target at most`;
    findings.push(warn(check, what, 'sysctl -w net.ipv4.ip_local_port_range="1024 65535"'));
  }
  return findings.length > 0 ? findings : [ok(check, 'backlog and local ports suffice')];
}

async function secret(host: Host, config: Fields, siblings: number): Promise<Finding[]> {
  const check = 'lb.secret';
  const file = textAt(config, 'secretFile');
  const make = 'openssl rand -hex 32; the same file on every lb, named as secretFile in lb.yaml';
  if (file === undefined) {
    if (siblings < 2) return [];
    const what = `no secretFile, and ${siblings} lbs: each refuses the cookies of the others`;
    return [warn(check, what, make)];
  }
  const facts = await host.stat(file);
  if (facts === undefined) return [fail(check, `there is no ${file}`, make)];
  if ((facts.mode & OTHERS) === 0) return [ok(check, `${file} is there, not for everybody`)];
  return [fail(check, `everybody may read ${file}`, `chmod 0640 ${file}, and draw another one`)];
}

/** Name and chain of each certificate object. */
export type Certificates = ReadonlyMap<string, string>;

export async function certificatesIn(store: Store): Promise<Certificates> {
  const found = new Map<string, string>();
  for await (const batch of store.scan('lb')) {
    for (const { kind, id, value } of batch) {
      if (kind !== 'certificate') continue;
      const { chain } = Object(JSON.parse(value)) as { chain?: unknown }; // as site objects are
      if (typeof chain === 'string') found.set(id, chain);
    }
  }
  return found;
}

export function expiries(certificates: Certificates, nowMs: number): Finding[] {
  const check = 'lb.certificates';
  const remedy = 'renew it, and edgectl apply the site file that names it';
  const findings = [...certificates].flatMap(([name, chain]): Finding[] => {
    const facts = factsOf(chain);
    if (facts === undefined) return [fail(check, `certificate ${name} cannot be read`, remedy)];
    const days = Math.floor((facts.untilMs - nowMs) / DAY_MS);
    if (days < 0) return [fail(check, `certificate ${name} has ended`, remedy)];
    if (days >= SOON_DAYS) return [];
    return [warn(check, `certificate ${name} ends within ${days + 1} days`, remedy)];
  });
  if (findings.length > 0 || certificates.size === 0) return findings;
  return [ok(check, `no certificate ends within ${SOON_DAYS} days`)];
}

/** Each certificate needs a key on each lb. */
export async function keys(
  host: Host,
  config: Fields,
  certificates: Certificates,
): Promise<Finding[]> {
  const check = 'lb.keys';
  const directory = textAt(config, 'keyDirectory') ?? '/etc/edge/keys';
  const findings: Finding[] = [];
  for (const name of certificates.keys()) {
    const file = join(directory, `${name}.key`);
    const facts = await host.stat(file);
    if (facts === undefined) {
      const what = `certificate ${name} has no key here: there is no ${file}`;
      findings.push(fail(check, what, 'copy it there, mode 0600, for the user of edge-lb'));
    } else if ((facts.mode & OTHERS) !== 0) {
      const remedy = `chmod 0600 ${file}; whoever read it may pretend to be that site`;
      findings.push(fail(check, `everybody may read ${file}`, remedy));
    }
  }
  if (findings.length > 0 || certificates.size === 0) return findings;
  return [ok(check, `each certificate has its key in ${directory}`)];
}
