// A host's /30 networks with real VMs: `l3addnet`, `edgectl vif plug`, and a dhcpd that serves the
// bridges; the answer is computed, so it survives Redis.
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { execute } from '../../lab/exec.ts';
import { until } from '../../lab/ready.ts';
import type { Machine } from '../support/dhcp/clients-machines.ts';
import { Udhcpc } from '../support/dhcp/clients-programs.ts';
import { type Dhcpd, DhcpSite } from '../support/dhcp/clients-site.ts';
import { ip } from '../support/network-namespace.ts';
import { needs, program, root } from '../support/skip.ts';

const EDGECTL = join(import.meta.dirname, '../../shared/ctl/main.ts');
const L3ADDNET = join(import.meta.dirname, '../../deploy/bin/l3addnet');
const VM = '10.64.0.6';
const MAC = '02:30:0a:40:00:06';
const BRIDGE = 'l3-0a400004';
const rig = new DhcpSite();
let dhcpd: Dhcpd;
let vm: Udhcpc;
let stranger: Udhcpc;

beforeAll(async () => {
  if (!root().met) return;
  await rig.up(['host', 'vm', 'stranger']);
  const host = rig.machine('host');
  connect(host, 'tap3', rig.machine('vm'), MAC);
  connect(host, 'tap4', rig.machine('stranger'), '02:30:0a:40:00:0a');
  await host.ip(
    'link set tap3 up',
    // A bridge as plug builds it, but without its rules: what dhcpd itself refuses.
    ...['link add br8 type bridge forward_delay 0', 'address add 10.64.0.9/30 dev br8'],
    ...['link set br8 up', 'link set tap4 master br8 up'],
  );
  for (const name of ['vm', 'stranger']) await rig.machine(name).ip('link set e0 up');
  vm = new Udhcpc(rig.directory, rig.machine('vm'));
  stranger = new Udhcpc(rig.directory, rig.machine('stranger'));
  dhcpd = rig.dhcpd('host', { links: [BRIDGE, 'br8'] });
});
beforeEach((context) => needs(context, root(), program('udhcpc'), program('nft')));
afterAll(() => rig.down());

function connect(host: Machine, name: string, guest: Machine, mac: string): void {
  const ends = [`add ${name} netns ${host.pid} type veth`, `name e0 netns ${guest.pid}`];
  ip(`link ${ends.join(' peer ')} address ${mac}`);
}

const l3addnet = (...args: string[]) =>
  execute(L3ADDNET, args, { allowFailure: true, env: { EDGE_STORE: rig.storeUrl } });

/** Undefined: no answer within a second. */
async function asks(client: Udhcpc): Promise<string | undefined> {
  await client.machine.ip('address flush dev e0');
  return client.once('-t', '1', '-T', '1');
}

test('l3addnet, plug, and the VM gets what its MAC says', async () => {
  dhcpd.launch();
  await until('it takes questions', async () => (await dhcpd.status()).store.up);
  expect((await l3addnet('10.64.0.0/16', 'host')).stderr).toBe(
    'usage: l3addnet CIDR HOST DNS1 DNS2\n',
  );
  const added = await l3addnet('10.64.0.0/16', 'host', '10.0.0.53', '10.0.0.54');
  expect(added, added.stderr).toMatchObject({ code: 0 });
  const plug = [EDGECTL, 'vif', 'plug', VM, 'tap3'];
  const plugged = await rig.machine('host').run(process.execPath, ...plug);
  expect(plugged, plugged.stderr).toMatchObject({ code: 0 });
  await until('it is ready', async () => (await dhcpd.status()).state === 'running', {
    timeoutMs: 30_000,
  });
  expect(await asks(vm)).toBe(VM);
  const { told } = await vm.event(['bound']);
  expect(told).toMatchObject({
    subnet: '255.255.255.252',
    router: '10.64.0.5',
    dns: '10.0.0.53 10.0.0.54',
  });
  expect(await dhcpd.leases()).toEqual([]); // there are none
});

test('another MAC on its bridge gets nothing', async () => {
  await vm.machine.ip('link set e0 address 02:30:0a:40:00:0a');
  expect(await asks(vm)).toBeUndefined();
  await vm.machine.ip(`link set e0 address ${MAC}`);
  expect(await asks(vm)).toBe(VM);
});

test.each([
  { what: 'its own MAC', mac: '02:30:0a:40:00:0a', gets: '10.64.0.10', reason: 'l3-acked' },
  { what: 'the MAC of another VM', mac: MAC, reason: 'l3-other-link' },
  { what: 'a MAC of no VM', mac: '02:00:00:00:00:77', reason: 'l3-not-a-vm' },
  { what: 'the MAC of a gateway', mac: '02:30:0a:40:00:09', reason: 'l3-not-a-vm' },
  { what: 'a MAC outside of every network', mac: '02:30:0a:50:00:06', reason: 'unknown-network' },
])('where no rule looks, dhcpd does: $what', async ({ mac, gets, reason }) => {
  const before = await dhcpd.count(reason);
  await stranger.machine.ip(`link set e0 address ${mac}`);
  expect(await asks(stranger)).toBe(gets);
  expect(await dhcpd.count(reason)).toBeGreaterThan(before);
});

test('without Redis, and after a restart without it', async () => {
  await rig.redis?.kill();
  await until('it is missed', async () => !(await dhcpd.status()).store.up);
  expect(await asks(vm)).toBe(VM);
  await dhcpd.end('SIGKILL');
  const started = dhcpd.launch();
  await until('the VM has its address again', async () => {
    if (started.ended) throw new Error(started.output());
    return (await asks(vm)) === VM;
  });
  await vm.machine.ip('link set e0 address 02:30:0a:40:00:0e');
  expect(await asks(vm)).toBeUndefined();
  await vm.machine.ip(`link set e0 address ${MAC}`);
  await rig.redis?.start();
  await until('Redis is there', async () => (await dhcpd.status()).store.up);
  expect(await asks(vm)).toBe(VM);
});
