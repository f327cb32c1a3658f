// Doctor: who has the ports that a service needs, from the sockets of the host.
import { parseEndpoint } from '../../net/ports.ts';
import { someNames } from '../names.ts';
import type { CheckId } from './checks.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import type { Host } from './host.ts';
import type { Daemon } from './services.ts';

type Listener = { host: string; port: number; process: string; pid: number };

/** Lines of `ss -Hlntup`, those whose process may be seen. */
export function listenersOf(text: string): Listener[] {
  return text.split('\n').flatMap((line) => {
    const [, , , , local = '', , users = ''] = line.trim().split(/\s+/);
    const [, name, pid] = /\(\("([^"]*)",pid=(\d+)/.exec(users) ?? [];
    const at = local.lastIndexOf(':');
    if (name === undefined || at < 0) return [];
    const host = local
      .slice(0, at)
      .replace(/^\[(.*)\]$/, '$1')
      .replace(/%.*$/, '');
    return [{ host, port: Number(local.slice(at + 1)), process: name, pid: Number(pid) }];
  });
}

const isAny = (host: string) => host === '0.0.0.0' || host === '::' || host === '*';

function meets(ours: string, theirs: string): boolean {
  if (ours === theirs) return true;
  if (isAny(theirs)) return theirs === '*' || theirs.includes(':') || !ours.includes(':');
  return isAny(ours) && (ours === '*' || ours.includes(':') === theirs.includes(':'));
}

/** `wanted`: host:port as the configuration has them. */
export async function portChecks(
  host: Host,
  { service, pid, status }: Daemon,
  check: CheckId,
  wanted: readonly string[],
): Promise<Finding[]> {
  const text = await host.run('ss', ['-Hlntup']);
  if (text === undefined) return [warn(check, 'cannot list sockets', 'apt install iproute2')];
  const ours = wanted.flatMap((one) => parseEndpoint(one) ?? []);
  const others = listenersOf(text).filter(
    (one) =>
      one.pid !== pid &&
      ours.some(({ host: at, port }) => port === one.port && meets(at, one.host)),
  );
  if (others.length === 0) return [ok(check, `nobody else has ${someNames(wanted)}`)];
  const names = new Set(others.map((one) => `${one.process} (${one.host}:${one.port})`));
  const who = someNames([...names]);
  const remedy = others.some((one) => one.process.startsWith('systemd-resolve'))
    ? 'DNSStubListener=no in /etc/systemd/resolved.conf, and restart systemd-resolved'
    : `stop it, or name other addresses in ${service}.yaml`;
  if (status === undefined) return [fail(check, `the port is taken: ${who}`, remedy)];
  return [warn(check, `what comes there does not come to ${service}: ${who}`, remedy)];
}
