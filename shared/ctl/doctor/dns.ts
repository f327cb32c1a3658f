// Doctor: the dns of this host: port 53, socket buffers, zones and their files, lists of prefixes.
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { listOf, rowsOf, textOf } from '../control.ts';
import type { Fields } from '../lease.ts';
import { someNames } from '../names.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import type { FileFacts, Host } from './host.ts';
import { portChecks } from './ports.ts';
import { heldCapabilities, missingOf } from './processes.ts';
import { type Daemon, listAt, textAt, valueAt } from './services.ts';

const BUFFER_BYTES = 4 * 1024 * 1024;
const OLD_MS = 90 * 86_400_000;
const DAY_MS = 86_400_000;
/** Of many zones that are wrong these tell enough. */
const MOST_ZONES = 5;

export async function dnsChecks(context: Context, daemon: Daemon): Promise<Finding[]> {
  const { host } = context;
  const { config } = daemon;
  const isNamed = valueAt(config, 'listen') !== undefined;
  const wanted = isNamed ? listAt(config, 'listen').map(String) : ['0.0.0.0:53', '[::]:53'];
  const findings = [
    ...(await portChecks(host, daemon, 'dns.ports', wanted)),
    ...(await buffers(host, daemon)),
    ...(await zoneFiles(host, daemon)),
    ...(await lines(context, daemon)),
  ];
  return [...findings, ...zones(daemon.status)];
}

/** With CAP_NET_ADMIN a socket may be larger than rmem_max. */
async function buffers(host: Host, { pid }: Daemon): Promise<Finding[]> {
  const check = 'dns.buffers';
  const most = Number((await host.read('/proc/sys/net/core/rmem_max'))?.trim());
  const held = pid === undefined ? 0n : await heldCapabilities(host, pid);
  const isBound = missingOf(held, ['CAP_NET_ADMIN']).length > 0;
  if (Number.isNaN(most)) return [];
  if (!isBound || most >= BUFFER_BYTES) return [ok(check, 'sockets may be as large as wanted')];
  const what = `sockets hold ${most} bytes at most: bursts of queries are lost`;
  return [warn(check, what, `sysctl -w net.core.rmem_max=${BUFFER_BYTES}, or CAP_NET_ADMIN`)];
}

function zones(status: Fields | undefined): Finding[] {
  const check = 'dns.zones';
  if (status === undefined) return [];
  const rows = rowsOf(status, 'zones');
  const bad = rows.filter((row) => listOf(row, 'problems').length > 0);
  if (bad.length === 0) return [ok(check, `${rows.length} zones are served as they are wanted`)];
  return bad.slice(0, MOST_ZONES).map((row) => {
    const zone = textOf(row, 'zone');
    const remedy = 'correct what is named: edgectl zone list, edgectl zone check FILE';
    return fail(check, `zone ${zone}: ${listOf(row, 'problems')[0]}`, remedy);
  });
}

/** Files of the configuration, by the rights of the daemon's user. */
async function zoneFiles(host: Host, daemon: Daemon): Promise<Finding[]> {
  const { config, pid } = daemon;
  const named = listAt(config, 'zones').map((one) => String(Object(one).file));
  const directory = textAt(config, 'zoneDirectory');
  const inside = directory === undefined ? [] : await host.list(directory);
  const found = inside.filter((name) => name.endsWith('.zone'));
  const files = [...named, ...found.map((name) => join(directory ?? '', name))];
  const user = await userOf(host, pid);
  const findings: Finding[] = [];
  if (directory !== undefined && (await host.stat(directory)) === undefined) {
    findings.push(fail('dns.zones', `there is no directory ${directory}`, `mkdir ${directory}`));
  }
  for (const file of files) {
    const facts = await host.stat(file);
    const remedy = `chmod a+r ${file}, or give it to the user of edge-dns`;
    if (facts === undefined) findings.push(fail('dns.zones', `there is no file ${file}`, remedy));
    else if (user !== undefined && !mayRead(facts, user)) {
      findings.push(fail('dns.zones', `edge-dns may not read ${file}`, remedy));
    }
  }
  return findings;
}

type User = { uid: number; groups: readonly number[] };

async function userOf(host: Host, pid: number | undefined): Promise<User | undefined> {
  const status = pid === undefined ? undefined : await host.read(`/proc/${pid}/status`);
  if (status === undefined) return undefined;
  const numbers = (name: string) =>
    (new RegExp(`^${name}:(.*)$`, 'm').exec(status)?.[1] ?? '').trim().split(/\s+/).map(Number);
  return {
    uid: numbers('Uid')[1] ?? 0,
    groups: [...numbers('Gid').slice(1, 2), ...numbers('Groups')],
  };
}

function mayRead({ mode, uid, gid }: FileFacts, user: User): boolean {
  if (user.uid === 0) return true;
  if (user.uid === uid) return (mode & 0o400) !== 0;
  return (mode & (user.groups.includes(gid) ? 0o040 : 0o004)) !== 0;
}

async function lines(context: Context, { config, socket, status }: Daemon): Promise<Finding[]> {
  const check = 'dns.lines';
  const findings: Finding[] = [];
  const files = listAt(config, 'lines').map((one) => String(Object(one).file));
  for (const file of files)
    findings.push(...listFile(file, await context.host.stat(file), context));
  if (status !== undefined) {
    for (const row of rowsOf(status, 'lineFiles')) {
      const place = `${row.file}:${row.line}: ${row.message}`;
      findings.push(fail(check, place, 'correct the list; its last good version is in force'));
    }
    findings.push(...contradictions(await context.openControl(socket).get('/lines')));
  }
  if (findings.length > 0 || files.length === 0) return findings;
  return [ok(check, `lists of prefixes are in force: ${someNames(files)}`)];
}

function listFile(file: string, facts: FileFacts | undefined, { clock }: Context): Finding[] {
  const check = 'dns.lines';
  if (facts === undefined) {
    return [fail(check, `there is no list ${file}`, 'put it there, or take it out of lines')];
  }
  if (facts.bytes === 0) {
    const what = `${file} is empty: its line has no clients`;
    return [fail(check, what, 'fetch it again; systemctl reload edge-dns')];
  }
  const ageMs = clock.nowMs() - facts.changedMs;
  if (ageMs < OLD_MS) return [];
  const what = `${file} is ${Math.floor(ageMs / DAY_MS)} days old: providers move prefixes`;
  return [warn(check, what, 'fetch it again; systemctl reload edge-dns')];
}

function contradictions(page: unknown): Finding[] {
  const conflicts = Number(valueAt(Object(page) as Fields, 'report.conflicts.count') ?? 0);
  if (conflicts === 0) return [];
  const what = `${conflicts} prefixes are in two lines; the list that is named first counts`;
  return [warn('dns.lines', what, 'see edgectl line report')];
}
