// Doctor: what is the machine's own: iproute2, the clock, the table of tracked flows, and what a
// Redis on it asks of the kernel.
import { type Finding, fail, ok, warn } from './finding.ts';
import type { Host } from './host.ts';

const CONNTRACK = '/proc/sys/net/netfilter/nf_conntrack';
const TRACKED_WARN = 0.8;
const TRACKED_FAIL = 0.95;

/** The daemons start `ip`; `tc` is for people, and for natter.links. */
export async function iproute(host: Host): Promise<Finding> {
  const check = 'host.iproute';
  const remedy = 'apt install iproute2';
  if ((await host.run('ip', ['-Version'])) === undefined) {
    return fail(check, 'there is no ip of iproute2: daemons cannot look at links', remedy);
  }
  const tc = await host.run('tc', ['-Version']);
  if (tc === undefined) return warn(check, 'there is no tc: filters cannot be shown', remedy);
  if (tc.includes('libbpf')) return ok(check, 'ip and tc are installed, tc with libbpf');
  return warn(check, 'tc was built without libbpf: it shows programs by number alone', remedy);
}

/** Leases, votes, cookies, signatures and logs all rest on it. */
export async function clock(host: Host): Promise<Finding> {
  const check = 'host.clock';
  const remedy = 'run chrony or systemd-timesyncd';
  if ((await host.list('/run/systemd/timesync')).includes('synchronized')) {
    return ok(check, 'the clock is synchronized (systemd-timesyncd)');
  }
  const chrony = await host.run('chronyc', ['-c', 'tracking']);
  if (chrony !== undefined) {
    const leap = chrony.trim().split(',').at(-1);
    if (leap !== 'Not synchronised') return ok(check, 'the clock is synchronized (chrony)');
    return warn(check, 'chrony has not synchronized the clock', 'see chronyc sources');
  }
  const said = await host.run('timedatectl', ['show', '--property=NTPSynchronized', '--value']);
  if (said?.trim() === 'yes') return ok(check, 'the clock is synchronized');
  if (said?.trim() === 'no') return warn(check, 'the clock is not synchronized', remedy);
  return warn(check, 'cannot tell whether the clock is synchronized', remedy);
}

export async function conntrack(host: Host): Promise<Finding[]> {
  const [used, most] = await Promise.all(
    ['count', 'max'].map(async (name) => Number(await host.read(`${CONNTRACK}_${name}`))),
  );
  if (!used || !most) return []; // nobody tracks flows here
  const check = 'net.conntrack';
  const part = used / most;
  if (part < TRACKED_WARN) return [ok(check, `${used} of ${most} flows are tracked`)];
  const what = `${used} of ${most} flows are tracked: new ones are dropped when it is full`;
  const remedy = `sysctl -w net.netfilter.nf_conntrack_max=${2 * most}, or notrack rules`;
  return [part < TRACKED_FAIL ? warn(check, what, remedy) : fail(check, what, remedy)];
}

/** Of a Redis that is reached by a unix socket or over loopback. */
export async function redisHost(host: Host, url: string): Promise<Finding[]> {
  if (!isLocal(url)) return [];
  const check = 'store.host';
  const findings: Finding[] = [];
  const overcommit = (await host.read('/proc/sys/vm/overcommit_memory'))?.trim() ?? '1';
  if (overcommit !== '1') {
    const what = `vm.overcommit_memory is ${overcommit}: Redis may not be able to fork and save`;
    findings.push(warn(check, what, 'sysctl -w vm.overcommit_memory=1'));
  }
  const pages = '/sys/kernel/mm/transparent_hugepage/enabled';
  if ((await host.read(pages))?.includes('[always]') === true) {
    const what = 'huge pages are always on: a save of Redis costs memory and pauses';
    findings.push(warn(check, what, `echo madvise > ${pages}`));
  }
  return findings.length > 0 ? findings : [ok(check, 'the kernel here suits Redis')];
}

const isLocal = (url: string) => /^(unix:|rediss?:\/\/(127\.|localhost\b|\[::1\]))/.test(url);
