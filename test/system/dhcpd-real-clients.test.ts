// udhcpc, dhclient and dhcpcd against two real dhcpds on one link: everything that a client of RFC
// 2131 does in its life, and what it is told.
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../lab/ready.ts';
import { addBridge } from '../support/dhcp/clients-machines.ts';
import { type ClientFiles, Dhclient, Dhcpcd, Udhcpc } from '../support/dhcp/clients-programs.ts';
import { type Dhcpd, DhcpSite } from '../support/dhcp/clients-site.ts';
import { kernel, needs, program, root } from '../support/skip.ts';

const rig = new DhcpSite();
const LONG = 'ab'.repeat(300);
const RESERVED_MAC = '02:00:00:00:30:05';
const OPTIONS = {
  routers: ['10.30.0.1'],
  'domain-name-servers': ['10.30.0.53', '10.30.0.54'],
  'domain-name': 'vm.example',
  'interface-mtu': 1400,
  'classless-static-routes': [
    { to: '192.0.2.0/24', via: '10.30.0.1' },
    { to: '0.0.0.0/0', via: '10.30.0.1' },
  ],
  '224': { hex: LONG },
};
const SUBNET = {
  subnet: '10.30.0.0/24',
  pools: ['10.30.0.100-10.30.0.150'],
  rapidCommit: true,
  options: OPTIONS,
};
const OBJECTS = {
  subnets: [SUBNET, { subnet: '10.31.0.0/24', pools: ['10.31.0.100-10.31.0.150'] }],
  classes: [{ name: 'short', match: { vendorClass: 'short' }, lease: '16s' }],
  reservations: [
    { address: '10.30.0.5', mac: RESERVED_MAC, hostname: 'printer' },
    { address: '10.30.0.6', clientId: '00:74:65:73:74' },
  ],
};
const vlans = { met: false };
let d1: Dhcpd;
let d2: Dhcpd;

beforeAll(async () => {
  if (!root().met) return;
  const clients = 'cu cl cp cr cx cs cn cb cd cw cv ca ce k1 k2 k3'.split(' ');
  await rig.up(['d1', 'd2', ...clients]);
  addBridge('lan', '10.30.0.1/24');
  await rig.machine('d1').plug('lan', 'e0', { addresses: ['10.30.0.11/24'] });
  await rig.machine('d2').plug('lan', 'e0', { addresses: ['10.30.0.12/24'] });
  for (const name of clients) {
    await rig.machine(name).plug('lan', 'e0', name === 'cr' ? { mac: RESERVED_MAC } : {});
  }
  await makeVlan();
  await rig.apply(OBJECTS);
  const links = vlans.met ? ['e0', 'v5'] : ['e0'];
  d1 = rig.dhcpd('d1', { links });
  d2 = rig.dhcpd('d2', { links });
  await rig.start(d1, d2);
});
beforeEach((context) => {
  needs(context, root(), program('udhcpc'), program('dhclient'), program('dhcpcd'));
});
afterAll(() => rig.down());

/** VLAN 5 on the servers and on one client; not every kernel has them. */
async function makeVlan(): Promise<void> {
  const [one, two, client] = ['d1', 'd2', 'cv'].map((name) => rig.machine(name));
  const add = 'link add link e0 name v5 type vlan id 5';
  vlans.met = (await one?.run('ip', ...add.split(' ')))?.code === 0;
  if (!vlans.met) return;
  await one?.ip('address add 10.31.0.11/24 dev v5', 'link set v5 up');
  await two?.ip(add, 'address add 10.31.0.12/24 dev v5', 'link set v5 up');
  await client?.ip(add, 'link set v5 up');
}

const boundTo = async (name: string) => d1.boundTo(await rig.machine(name).mac());

describe('an address, and what comes with it', () => {
  test('udhcpc: options, renewal, release, and the same address again', async () => {
    const client = new Udhcpc(rig.directory, rig.machine('cu'));
    const running = client.start('-O', '121', '-O', 'mtu', '-x', 'hostname:box');
    const { told } = await client.event(['bound']);
    expect(told).toMatchObject({
      router: '10.30.0.1',
      dns: '10.30.0.53 10.30.0.54',
      domain: 'vm.example',
      mtu: '1400',
      subnet: '255.255.255.0',
      lease: '3600',
    });
    expect(told.staticroutes).toContain('192.0.2.0/24 10.30.0.1');
    await until('both know', async () => (await boundTo('cu')) === told.ip);
    const [lease] = await d2.leases(`?address=${told.ip}`);
    expect(lease).toMatchObject({ state: 'bound', hostname: 'box' });
    running.child.kill('SIGUSR1');
    expect((await client.event(['renew'])).told.ip).toBe(told.ip);
    running.child.kill('SIGUSR2');
    await until('it is released', async () => (await boundTo('cu')) === undefined);
    await running.end();
    expect(await client.once()).toBe(told.ip);
  });

  test('dhclient: options, a long one too, release, and the same address again', async () => {
    const conf = 'send dhcp-max-message-size 1472; send host-name "desk";';
    const client = new Dhclient(rig.directory, rig.machine('cl'), conf);
    const running = client.start();
    const { told } = await client.event(['BOUND']);
    expect(told).toMatchObject({
      new_routers: '10.30.0.1',
      new_domain_name_servers: '10.30.0.53 10.30.0.54',
      new_domain_name: 'vm.example',
      new_interface_mtu: '1400',
      new_dhcp_lease_time: '3600',
      new_rfc3442_routes: '24 192 0 2 10 30 0 1 0 10 30 0 1',
    });
    expect(told.new_long_private?.replaceAll(':', '')).toBe(LONG);
    await running.end();
    await client.release();
    await until('it is released', async () => (await boundTo('cl')) === undefined);
    expect(await client.once()).toBe(told.new_ip_address);
  });

  test('dhcpcd: rapid commit, a DUID, a long option; released; the same again', async () => {
    const client = new Dhcpcd(rig.directory, rig.machine('cp'), 'duid\noption rapid_commit');
    const rapid = async () => (await d1.count('acked-rapid')) + (await d2.count('acked-rapid'));
    const before = await rapid();
    const running = client.start('--noarp');
    const { told } = await client.event(['BOUND']);
    expect(await rapid()).toBe(before + 1);
    expect(told).toMatchObject({
      new_domain_name_servers: '10.30.0.53 10.30.0.54',
      new_domain_name: 'vm.example',
      new_interface_mtu: '1400',
      new_classless_static_routes: '192.0.2.0/24 10.30.0.1 0.0.0.0/0 10.30.0.1',
      new_long_private: LONG,
    });
    const [lease] = await d1.leases(`?address=${told.new_ip_address}`);
    expect(lease?.clientId).toMatch(/^ff/); // RFC 4361
    const seen = client.events().length;
    await client.run('dhcpcd', '-4', '-k', 'e0');
    await until('it is released', async () => (await boundTo('cp')) === undefined);
    await running.end();
    const second = client.start('--noarp');
    const again = await client.event(['BOUND', 'REBOOT'], seen);
    expect(again.told.new_ip_address).toBe(told.new_ip_address);
    await second.end();
  });

  test('reservations by MAC and by client identifier', async () => {
    const client = new Udhcpc(rig.directory, rig.machine('cr'));
    expect(await client.once('-C', '-O', 'hostname')).toBe('10.30.0.5');
    expect((await client.event(['bound'])).told.hostname).toBe('printer');
    const other = new Udhcpc(rig.directory, rig.machine('cx'));
    expect(await other.once('-x', '0x3d:0074657374')).toBe('10.30.0.6');
  });
});

describe('a client that was here before', () => {
  test('dhclient asks for the address of its lease file: INIT-REBOOT', async () => {
    const client = new Dhclient(rig.directory, rig.machine('cb'));
    const address = await client.once();
    const seen = client.events().length;
    const running = client.start();
    const { told } = await client.event(['REBOOT'], seen);
    await running.end();
    expect(told.new_ip_address).toBe(address);
    expect(running.output()).not.toContain('DHCPDISCOVER');
  });

  test('dhclient that comes from another network is refused, and gets one of this', async () => {
    const client = new Dhclient(rig.directory, rig.machine('cn'));
    writeFileSync(client.path('leases'), leaseOf('10.99.0.5'));
    const [naks, running] = [await total('nak-wrong-network'), client.start()];
    const { told } = await client.event(['BOUND']);
    await running.end();
    expect(running.output()).toContain('DHCPREQUEST for 10.99.0.5');
    expect(running.output()).toContain('DHCPNAK');
    expect(told.new_ip_address).toMatch(/^10\.30\.0\.1/);
    expect(await total('nak-wrong-network')).toBeGreaterThan(naks);
  });

  test('dhcpcd does both', async () => {
    const client = new Dhcpcd(rig.directory, rig.machine('cd'));
    const first = client.start('--noarp');
    const { told } = await client.event(['BOUND']);
    await first.end();
    let seen = client.events().length;
    const second = client.start('--noarp');
    const rebooted = await client.event(['REBOOT'], seen);
    expect(rebooted.told.new_ip_address).toBe(told.new_ip_address);
    await second.end();
    const file = client.path('lib/e0.lease'); // the ACK as it came; yiaddr is at 16
    const lease = readFileSync(file);
    lease.set([10, 99, 0, 5], 16);
    writeFileSync(file, lease);
    seen = client.events().length;
    const third = client.start('--noarp');
    const moved = await client.event(['BOUND'], seen);
    await third.end();
    expect(third.output()).toContain('NAK');
    expect(moved.told.new_ip_address).toBe(told.new_ip_address);
  });

  test('udhcpc asks for an address that another holds, and gets another', async () => {
    const [held] = await d2.leases('?state=bound');
    const client = new Udhcpc(rig.directory, rig.machine('cw'));
    const got = await client.once('-r', held?.address ?? '');
    expect(got).toMatch(/^10\.30\.0\.1/);
    expect(got).not.toBe(held?.address);
  });
});

test('a client on a VLAN', async (context) => {
  needs(context, kernel('VLAN links', vlans.met, false));
  const client = new Udhcpc(rig.directory, rig.machine('cv'));
  const { stdout, stderr } = await client.run(
    'udhcpc',
    ...client.arguments('-n', '-q', '-i', 'v5'),
  );
  expect(`${stdout}${stderr}`).toMatch(/lease of 10\.31\.0\.1\d\d obtained from 10\.31\.0\.1[12]/);
});

// Those that take a client's own time, at once.
describe.concurrent('what takes its time', () => {
  test('udhcpc finds its address in use by ARP, declines, and gets another', async () => {
    const client = new Udhcpc(rig.directory, rig.machine('ca'));
    const held = await client.once();
    expect(held).toBeDefined();
    await client.machine.ip('address flush dev e0');
    await rig.machine('cs').ip(`address add ${held}/24 dev e0`);
    const seen = client.events().length;
    const running = client.start('-a', '-A', '1', '-q');
    const next = (await client.event(['bound'], seen)).told.ip;
    await running.end();
    expect(next).not.toBe(held);
    const [lease] = await d2.leases(`?address=${held}`);
    expect(lease?.state).toBe('declined');
  });

  test('dhclient declines what its script refuses', async () => {
    const client = new Dhclient(rig.directory, rig.machine('ce'));
    client.refuseOne();
    const running = client.start();
    const refused = await client.event(['DECLINE']);
    const { told } = await client.event(['BOUND']);
    await running.end();
    expect(told.new_ip_address).not.toBe(refused.told.new_ip_address);
    const [lease] = await d2.leases(`?address=${refused.told.new_ip_address}`);
    expect(lease?.state).toBe('declined');
  });

  test('all renew at T1; their server killed, they rebind with the other at T2', async () => {
    await d2.control('POST', '/drain'); // so that all of them are d1's
    await until('d2 leaves them to d1', async () => (await d2.status()).state === 'drained');
    const udhcpc = new Udhcpc(rig.directory, rig.machine('k1'));
    const dhclient = new Dhclient(
      rig.directory,
      rig.machine('k2'),
      'send vendor-class-identifier "short";',
    );
    const dhcpcd = new Dhcpcd(rig.directory, rig.machine('k3'), 'vendorclassid short');
    const running = [udhcpc.start('-V', 'short'), dhclient.start(), dhcpcd.start('--noarp')];
    const clients = [udhcpc, dhclient, dhcpcd];
    const bound = await all(clients, ['bound', 'BOUND']);
    expect(new Set(bound).size).toBe(3);
    await d2.control('POST', '/undrain');
    expect(await all(clients, ['renew', 'RENEW'])).toEqual(bound);
    await d1.end();
    expect(await all(clients, ['renew', 'RENEW', 'REBIND'], '10.30.0.12')).toEqual(bound);
    await Promise.all(running.map((each) => each.end()));
  });
});

/** The addresses that they were told with the first such event, of that server. */
function all(clients: readonly ClientFiles[], reasons: string[], server?: string) {
  const told = clients.map((client) =>
    until(
      `${client.machine.name}: ${reasons.join(' or ')} of ${server ?? 'any server'}`,
      () => {
        const found = client.events().find(({ reason, told }) => {
          const by = told.serverid ?? told.new_dhcp_server_identifier;
          return reasons.includes(reason) && (server === undefined || by === server);
        });
        return found?.told.ip ?? found?.told.new_ip_address;
      },
      { timeoutMs: 40_000 },
    ),
  );
  return Promise.all(told);
}

async function total(reason: string): Promise<number> {
  return (await d1.count(reason)) + (await d2.count(reason));
}

/** As dhclient writes it. */
function leaseOf(address: string): string {
  return `lease {
  interface "e0";
  fixed-address ${address};
  option subnet-mask 255.255.255.0;
  option dhcp-lease-time 360000;
  option dhcp-message-type 5;
  option dhcp-server-identifier 10.99.0.1;
  renew never;
  rebind never;
  expire never;
}
`;
}
