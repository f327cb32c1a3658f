// Probes from machines of their own: what is the target's trouble there, and what is the machine's.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CheckSettings, Target } from '../../shared/health/types.ts';
import { NetworkNamespace } from '../support/network-namespace.ts';
import { needs, root } from '../support/skip.ts';

const probeOnce = join(import.meta.dirname, 'health-probe-once.ts');
const times = { intervalMs: 5000, timeoutMs: 5000, rise: 1, fall: 1 };
const kinds = [
  { type: 'tcp', port: 80 },
  { type: 'http', port: 80, path: '/', status: [200, 399], verify: false },
  { type: 'https', port: 443, path: '/', status: [200, 399], verify: false },
  { type: 'dns', port: 53, name: 'example', recordType: 6 },
  { type: 'readyz', port: 80 },
  { type: 'icmp' },
];

function targetsAt(address: string, timeoutMs = times.timeoutMs): Target[] {
  return kinds.map((kind) => {
    const check = { ...times, timeoutMs, ...kind } as CheckSettings; // of one kind each
    return { address, check };
  });
}

describe('a machine', () => {
  const machine = new NetworkNamespace();

  beforeAll(async () => {
    if (root().met) await machine.ready();
  });
  afterAll(() => machine.end());

  function inside(command: string, ...args: string[]): string {
    const [program, words] = machine.inside(command, args);
    return execFileSync(program, words, { encoding: 'utf8' });
  }

  const ip = (...lines: string[]) => lines.map((line) => inside('ip', ...line.split(' ')));

  function probed(targets: readonly Target[], command: readonly string[] = [], ...more: string[]) {
    const words = [...command, process.execPath, probeOnce, JSON.stringify(targets), ...more];
    const [program = '', ...args] = words;
    return JSON.parse(inside(program, ...args)) as string[]; // of health-probe-once
  }

  test.for(['192.0.2.1', '2001:db8::1'])('without a route to %s probes nothing', (address, at) => {
    needs(at, root());
    const results = probed(targetsAt(address));
    const icmp = results.pop();
    expect(icmp).toMatch(/^not-probed: (network is unreachable|cannot assign requested address)$/);
    for (const each of results) expect(each).toMatch(/^not-probed: (no route: )?E[A-Z]+$/);
  });

  test('beside a link where nobody has that address finds it unreachable', (context) => {
    needs(context, root());
    ip('link set lo up'); // by which the kernel tells itself
    ip('link add v0 type veth peer name v1', 'link set v0 up', 'link set v1 up');
    ip('address add 192.0.2.2/24 dev v0');
    inside('sysctl', '-qw', 'net.ipv4.neigh.v0.mcast_solicit=1');
    inside('sysctl', '-qw', 'net.ipv4.neigh.v0.retrans_time_ms=100');
    // Sockets of UDP and raw ones are not told, for it may be so for a moment only.
    const [silent, stream] = ['bad: timeout', 'bad: unreachable'];
    const expected = [stream, stream, stream, silent, stream, silent];
    expect(probed(targetsAt('192.0.2.9', 3000))).toEqual(expected);
    // With the link down there is no route any more.
    ip('link set v0 down');
    for (const one of probed(targetsAt('192.0.2.9'))) expect(one).toMatch(/^not-probed: /);
  });

  test('without the capability for echoes makes all other probes', (context) => {
    needs(context, root());
    ip('link set lo up');
    const limited = ['setpriv', '--bounding-set=-net_raw', '--inh-caps=-net_raw', '--'];
    const results = probed(targetsAt('127.0.0.1'), limited);
    expect(results).toEqual([
      ...Array(5).fill('bad: refused'),
      'not-probed: cannot be asked: EDGE_ICMP',
    ]);
  });

  test('without a file descriptor left probes nothing', (context) => {
    needs(context, root());
    ip('link set lo up');
    const withoutIcmp = targetsAt('127.0.0.1').slice(0, 5);
    const results = probed(withoutIcmp, ['prlimit', '--nofile=100'], 'full');
    expect(results).toEqual(Array(5).fill('not-probed: EMFILE'));
  });
});
