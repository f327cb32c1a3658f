// `edgectl vif`: a VM's /30 in a namespace of the test's own. The VM is another namespace behind a
// veth; what it sends is real, and so are the kernel's bridge and rules.
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { execute } from '../../lab/exec.ts';
import { until } from '../../lab/ready.ts';
import { unshareNetwork } from '../../shared/bpf/libc.ts';
import { Host } from '../support/natter-rig.ts';
import { ip } from '../support/network-namespace.ts';
import { needs, program, root } from '../support/skip.ts';

const EDGECTL = join(import.meta.dirname, '../../shared/ctl/main.ts');
const VM = '10.64.0.6';
const MAC = '02:30:0a:40:00:06';
const BRIDGE = 'l3-0a400004';
const vm = new Host();
const elsewhere = new Host();
const isRoot = root().met;

beforeAll(async () => {
  if (!isRoot) return;
  await Promise.all([vm.ready(), elsewhere.ready()]);
  unshareNetwork();
  ip('link set lo up');
  ip(`link add tap3 type veth peer name e0 netns ${vm.pid}`);
  vm.run('ip', 'link', 'set', 'e0', 'address', MAC);
  vm.run('ip', 'address', 'add', `${VM}/30`, 'dev', 'e0');
  vm.run('ip', 'link', 'set', 'e0', 'up');
  vm.run('ip', 'route', 'add', 'default', 'via', '10.64.0.5');
  ip(`link add out0 type veth peer name e0 netns ${elsewhere.pid}`);
  ip('address add 192.0.2.1/24 dev out0', 'link set out0 up');
  elsewhere.run('ip', 'address', 'add', '192.0.2.2/24', 'dev', 'e0');
  elsewhere.run('ip', 'address', 'add', '192.0.2.99/24', 'dev', 'e0');
  elsewhere.run('ip', 'link', 'set', 'e0', 'up');
  elsewhere.run('ip', 'route', 'add', '10.64.0.0/16', 'via', '192.0.2.1');
});
beforeEach((context) => needs(context, root(), program('nft'), program('ping')));
afterAll(() => {
  vm.end();
  elsewhere.end();
});

const edgectl = (...args: string[]) =>
  execute(process.execPath, [EDGECTL, ...args], { allowFailure: true });

/** From the VM; 0: answered. */
async function ping(to: string, ...options: string[]): Promise<number> {
  const args = ['-t', `${vm.pid}`, '-n', '--', 'ping', '-n', '-c', '1', '-W', '1', ...options, to];
  return (await execute('nsenter', args, { allowFailure: true })).code;
}

/** Packets that a rule dropped, by its comment. */
async function dropped(comment: string): Promise<number> {
  const { stdout } = await execute('nft', ['list', 'ruleset']);
  return Number(new RegExp(`packets (\\d+).*"${comment}"`).exec(stdout)?.[1] ?? -1);
}

async function state() {
  const { stdout: rules } = await execute('nft', ['--stateless', 'list', 'ruleset']);
  const addresses = ip(`-o -4 address show dev ${BRIDGE}`).trim();
  return { rules, addresses, routes: ip('route show proto 158').trim() };
}

test('plugged, the VM reaches its gateway and the world, and is reached', async () => {
  const { code, stdout, stderr } = await edgectl(
    'vif',
    'plug',
    VM,
    'tap3',
    '--block',
    '192.0.2.99/32',
  );
  expect(stderr).toBe('');
  expect(stdout).toContain(`${VM} plugged: tap3 on ${BRIDGE}, gateway 10.64.0.5, MAC ${MAC}`);
  expect(code).toBe(0);
  await until('the bridge forwards', async () => (await ping('10.64.0.5')) === 0);
  expect(await ping('192.0.2.2')).toBe(0);
  elsewhere.run('ping', '-n', '-c', '1', '-W', '2', VM);
  expect((await state()).routes).toMatch(new RegExp(`^${VM} dev ${BRIDGE}`));
});

test('again changes nothing; another block list takes the place of the first', async () => {
  const before = await state();
  expect((await edgectl('vif', 'plug', VM, 'tap3', '--block', '192.0.2.99/32')).code).toBe(0);
  expect(await state()).toEqual(before);
  expect((await edgectl('vif', 'plug', VM, 'tap3')).code).toBe(0);
  expect(await ping('192.0.2.99')).toBe(0);
  expect((await edgectl('vif', 'plug', VM, 'tap3', '--block', '192.0.2.99/32')).code).toBe(0);
});

test('a blocked network is not reached', async () => {
  expect(await ping('192.0.2.99')).toBe(1);
  expect(await dropped('a blocked network')).toBeGreaterThan(0);
});

test('another source address is dropped', async () => {
  vm.run('ip', 'address', 'add', '10.64.0.77/32', 'dev', 'e0');
  expect(await ping('192.0.2.2', '-I', '10.64.0.77')).toBe(1);
  expect(await dropped('another address or protocol')).toBeGreaterThan(0);
  vm.run('ip', 'address', 'del', '10.64.0.77/32', 'dev', 'e0');
});

test('ARP for another address is dropped', async () => {
  const before = await dropped('ARP of another address');
  vm.run('ip', 'address', 'add', '10.64.0.1/24', 'dev', 'e0');
  vm.run('sh', '-c', 'ping -n -c 1 -W 1 -I 10.64.0.1 10.64.0.99 >/dev/null 2>&1 || true');
  expect(await dropped('ARP of another address')).toBeGreaterThan(before);
  vm.run('ip', 'address', 'del', '10.64.0.1/24', 'dev', 'e0');
});

test('another MAC is dropped', async () => {
  vm.run('ip', 'link', 'set', 'e0', 'address', '02:30:0a:40:00:0a');
  expect(await ping('10.64.0.5')).toBe(1);
  expect(await dropped('another MAC')).toBeGreaterThan(0);
  vm.run('ip', 'link', 'set', 'e0', 'address', MAC);
  await until('it answers again', async () => (await ping('10.64.0.5')) === 0);
});

test('wrong calls say what is wrong, and change nothing', async () => {
  const before = await state();
  const notVm = await edgectl('vif', 'plug', '10.64.0.5', 'tap3');
  expect(notVm).toMatchObject({ code: 2 });
  expect(notVm.stderr).toContain('the VM of its /30 is 10.64.0.6');
  const missing = await edgectl('vif', 'plug', '10.64.0.10', 'tap9');
  expect(missing).toMatchObject({ code: 1 });
  expect(missing.stderr).toContain('there is no device tap9');
  const taken = await edgectl('vif', 'plug', '10.64.0.10', 'tap3');
  expect(taken.stderr).toContain(`tap3 belongs to ${BRIDGE} already`);
  expect(await state()).toEqual(before);
});

test('a tap that plug makes goes with unplug', async () => {
  expect((await edgectl('vif', 'plug', '10.64.0.10', 'tap4', '--tap')).code).toBe(0);
  expect(ip('-o link show tap4')).toContain('master l3-0a400008');
  expect((await edgectl('vif', 'unplug', '10.64.0.10')).stdout).toContain('unplugged');
  expect(ip('-o link show')).not.toContain('tap4');
});

test('unplugged, nothing of it is left but the VM’s own device', async () => {
  expect((await edgectl('vif', 'unplug', VM)).stdout).toBe(`${VM} unplugged\n`);
  expect(ip('-o link show')).not.toContain(BRIDGE);
  expect(ip('-o link show')).toContain('tap3');
  expect(ip('route show proto 158')).toBe('');
  expect((await execute('nft', ['list', 'ruleset'])).stdout).not.toContain('edge_vif');
  expect((await edgectl('vif', 'unplug', VM)).stdout).toBe(`${VM} was not plugged\n`);
});
