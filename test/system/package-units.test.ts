// The systemd units: what systemd itself says of them.
import { globSync, readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allowedCalls, parseCallGroups, parseUnit } from '../../deploy/package/unit-file.ts';
import { execute } from '../../lab/exec.ts';
import { needs, program, root } from '../support/skip.ts';

const units = globSync('deploy/systemd/*.service').sort();
/** Of 10; what stays is the network, NET_ADMIN, and V8's writable code. */
const MOST_EXPOSED = 3.5;

it('are there for every daemon', () => {
  const names = units.map((path) => basename(path, '.service'));
  expect(names).toEqual(
    expect.arrayContaining(['edge-dhcpd', 'edge-dns', 'edge-lb', 'edge-natter']),
  );
});

it('are taken by systemd without a word', async (context) => {
  needs(context, root(), program('systemd-analyze'));
  // The launchers of the checkout, where a unit looks for them; this machine's are not touched.
  const launchers = resolve('deploy/bin');
  const line = `mount -t tmpfs tmpfs /usr/local/bin && ln -s ${launchers}/* /usr/local/bin/ &&
    exec systemd-analyze verify --man=no "$@"`;
  const said = await execute('unshare', ['--mount', 'sh', '-c', line, 'sh', ...units]);
  expect(said).toEqual({ code: 0, stdout: '', stderr: '' });
});

describe.each(units.map((path) => [basename(path), path]))('%s', (_, path) => {
  const unit = parseUnit(readFileSync(path, 'utf8'));

  it('is exposed little', async (context) => {
    needs(context, program('systemd-analyze'));
    const { stdout } = await execute('systemd-analyze', ['security', '--offline=yes', path]);
    const exposure = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1];
    expect(Number(exposure)).toBeLessThanOrEqual(MOST_EXPOSED);
  });

  it('is a user of its own, in the one group', () => {
    const name = basename(path, '.service');
    expect({ user: unit.user, group: unit.group }).toEqual({ user: name, group: 'edge' });
    expect(readFileSync('deploy/systemd/edge.sysusers.conf', 'utf8')).toMatch(`u ${name} `);
    expect(unit.stateDirectory).toBe(`/var/lib/edge/${name.replace('edge-', '')}`);
  });

  it('tells systemd that it is ready, and that it lives', () => {
    const text = readFileSync(path, 'utf8');
    expect(text).toMatch(/^Type=notify$/m);
    expect(text).toMatch(/^WatchdogSec=\d+$/m);
  });

  it('may not mount, load modules or become another user', async (context) => {
    needs(context, program('systemd-analyze'));
    const { stdout } = await execute('systemd-analyze', ['--no-pager', 'syscall-filter']);
    const calls = allowedCalls(unit.systemCalls, parseCallGroups(stdout));
    expect([...calls]).toEqual(expect.arrayContaining(['read', 'execve', 'sendmmsg']));
    for (const call of ['mount', 'init_module', 'setuid', 'chroot', 'ptrace', 'reboot'])
      expect(calls, call).not.toContain(call);
    expect(calls.has('bpf')).toBe(unit.capabilities.includes('CAP_BPF'));
  });
});
