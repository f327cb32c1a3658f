// Relays: dhcrelay, and messages made by hand, between a network of clients and two dhcpds that
// have no link there.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../lab/ready.ts';
import { addBridge } from '../support/dhcp/clients-machines.ts';
import { Dhclient, Udhcpc } from '../support/dhcp/clients-programs.ts';
import { HandRelay, option82, told } from '../support/dhcp/clients-relay.ts';
import { type Dhcpd, DhcpSite } from '../support/dhcp/clients-site.ts';
import { relayInfo, text } from '../support/dhcp/request.ts';
import { needs, program, root } from '../support/skip.ts';

const rig = new DhcpSite();
const D1 = '10.20.0.11';
const D2 = '10.20.0.12';
const HAND = '10.20.0.1';
const OBJECTS = {
  subnets: [
    // One link with two subnets, behind dhcrelay.
    { subnet: '10.30.0.0/29', pools: ['10.30.0.4-10.30.0.6'], network: 'floor' },
    {
      subnet: '10.30.1.0/24',
      pools: ['10.30.1.100-10.30.1.150'],
      network: 'floor',
      options: { routers: ['10.30.0.1'] },
    },
    // What relays made by hand ask for.
    { subnet: '10.40.0.0/24', pools: ['10.40.0.100-10.40.0.150'], relays: [HAND] },
    { subnet: '10.41.0.0/24', pools: ['10.41.0.100-10.41.0.150'] },
  ],
  reservations: [{ address: '10.30.1.7', circuitId: 'e0' }],
  classes: [
    {
      name: 'bios',
      match: { vendorClass: 'PXEClient*', architectures: [0] },
      bootFile: 'undionly.kpxe',
      nextServer: '10.20.0.9',
    },
    {
      name: 'efi',
      match: { vendorClass: 'PXEClient*', architectures: [7, 9] },
      bootFile: 'ipxe.efi',
      nextServer: '10.20.0.9',
      serverName: 'boot.example',
    },
    {
      name: 'ipxe',
      order: 200,
      match: { userClass: 'iPXE' },
      bootFile: 'http://10.20.0.9/boot.ipxe',
    },
  ],
};
let d1: Dhcpd;
let d2: Dhcpd;
let relay: HandRelay;

beforeAll(async () => {
  if (!root().met) return;
  await rig.up(['d1', 'd2', 'relay', 'c1', 'c2', 'c3', 'c4', 'c5']);
  addBridge('srv', `${HAND}/24`);
  addBridge('lan');
  for (const [name, address] of [
    ['d1', D1],
    ['d2', D2],
  ] as const) {
    await rig.machine(name).plug('srv', 'e0', { addresses: [`${address}/24`] });
    await rig.machine(name).ip('route add 10.30.0.0/16 via 10.20.0.2');
  }
  const router = rig.machine('relay');
  await router.plug('lan', 'e0', { addresses: ['10.30.0.1/29', '10.30.1.1/24'] });
  await router.plug('srv', 'e1', { addresses: ['10.20.0.2/24'] });
  await router.run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
  for (const name of ['c1', 'c2', 'c3', 'c4', 'c5']) await rig.machine(name).plug('lan');
  await rig.apply(OBJECTS);
  d1 = rig.dhcpd('d1');
  d2 = rig.dhcpd('d2');
  await rig.start(d1, d2);
  relay = await HandRelay.open(HAND);
});
beforeEach((context) => {
  needs(context, root(), program('udhcpc'), program('dhclient'), program('dhcrelay'));
});
afterAll(async () => {
  await relay?.close();
  await rig.down();
});

describe('dhcrelay', () => {
  afterEach(async () => {
    await Promise.all(rig.programs.map((each) => each.end()));
  });
  /** Its own option 82: the circuit is the name of its link. */
  const dhcrelay = async (...more: string[]) => {
    const links = ['-iu', 'e1', '-id', 'e0'];
    const running = rig.spawn('relay', 'dhcrelay', '-4', '-d', '--no-pid', ...links, ...more);
    await running.says(/Sending on\s+Socket/);
    return running;
  };

  test('a client of a shared network: of either subnet, the same from both servers', async () => {
    await dhcrelay(D1, D2);
    const got = [];
    for (const name of ['c1', 'c2', 'c3', 'c4']) {
      got.push(await new Udhcpc(rig.directory, rig.machine(name)).once());
    }
    expect(new Set(got).size).toBe(4);
    expect(got.filter((address) => !/^10\.30\.[01]\./.test(address ?? ''))).toEqual([]);
    // The first subnet has three.
    expect(got.filter((address) => address?.startsWith('10.30.1.'))).not.toEqual([]);
  });

  test('option 82 comes back whole, and the reservation of its circuit is found', async () => {
    await dhcrelay('-a', '-D', D1, D2);
    const client = new Udhcpc(rig.directory, rig.machine('c5'));
    const address = await client.once();
    expect(address).toBe('10.30.1.7');
    // The other one may have bound it: d1 follows.
    const bound = await until('d1 to know of it', async () => {
      const [lease] = await d1.leases(`?address=${address}`);
      return lease?.state === 'bound' && lease;
    });
    expect(bound).toMatchObject({ circuitId: '6530' });
  });

  /** Bound by way of a relay, that ends; then it renews, through its router. */
  const renew = async (client: Udhcpc) => {
    const running = await dhcrelay(D1, D2);
    let seen = client.events().length;
    const program = client.start();
    const { told: bound } = await client.event(['bound'], seen);
    const gateway = bound.ip?.startsWith('10.30.0.') ? '10.30.0.1' : '10.30.1.1';
    await rig.machine('c4').ip(`route replace 10.20.0.0/24 via ${gateway}`);
    await running.end(); // so nobody relays
    seen = client.events().length;
    program.child.kill('SIGUSR1');
    const renewed = await client.event(['renew'], seen, 2000).catch(() => undefined);
    return { program, bound, renewed: renewed?.told };
  };

  test('a renewal comes by the router, not the relay: its subnet is that of ciaddr', async () => {
    const client = new Udhcpc(rig.directory, rig.machine('c4'));
    let tried = await renew(client);
    // udhcpc misses an answer now and then that comes within the same instant.
    for (let left = 4; left > 0 && tried.renewed === undefined; left--) {
      await tried.program.end();
      tried = await renew(client);
    }
    const { program, bound, renewed } = tried;
    expect(renewed?.ip).toBe(bound.ip);
    program.child.kill('SIGUSR2');
    await until('released', async () => {
      const [lease] = await d1.leases(`?address=${bound.ip}`);
      return lease?.state === 'free';
    });
    await program.end();
  });

  test('dhclient behind it gets the same from both, and keeps it when one is killed', async () => {
    const running = await dhcrelay('-a', D1, D2);
    const client = new Dhclient(rig.directory, rig.machine('c3'));
    const first = await client.once();
    await d1.end();
    await running.end();
    await dhcrelay(D1, D2);
    expect(await client.once()).toBe(first);
    await d1.start();
  });
});

describe('made by hand', () => {
  const client = { mac: '02:00:00:00:40:01', giaddr: HAND };

  test('the reply goes to giaddr, port 67, and option 82 is its last', async () => {
    const info = relayInfo({ circuitId: 'Eth1/7', remoteId: 'leaf', sub: [[151, [0, 65]]] });
    const offer = await relay.ask(D1, { ...client, type: 1, relay: info });
    expect(offer).toMatchObject({ type: 2, giaddr: HAND });
    expect(offer.address).toMatch(/^10\.40\.0\.1/);
    expect(offer.options.get(82)).toEqual(Buffer.from(info));
    expect(offer.codes.at(-1)).toBe(82);
  });

  test.each([
    ['option 118', { subnetSelection: '10.41.0.0' }],
    ['link selection (RAI-5)', { relay: relayInfo({ linkSelection: '10.41.0.0' }) }],
    [
      'link selection before option 118',
      { relay: relayInfo({ linkSelection: '10.41.0.0' }), subnetSelection: '10.40.0.0' },
    ],
  ])('%s', async (_, fields) => {
    const offer = await relay.ask(D1, { ...client, mac: '02:00:00:00:40:02', type: 1, ...fields });
    expect(offer.address).toMatch(/^10\.41\.0\.1/);
    if ('subnetSelection' in fields) expect(offer.options.has(118)).toBe(true);
  });

  test('the server identifier that the relay wants (RAI-11), and renewals to it', async () => {
    const info = relayInfo({ serverOverride: HAND });
    const one = { ...client, mac: '02:00:00:00:40:03', relay: info };
    const offer = await relay.ask(D1, { ...one, type: 1 });
    expect(told(offer, 54)).toBe(HAND);
    const chosen = { type: 3, requested: offer.address, serverId: HAND };
    const ack = await relay.ask(D2, { ...one, ...chosen });
    expect(ack).toMatchObject({ type: 5, address: offer.address });
    expect(told(ack, 54)).toBe(HAND);
    const renewed = await relay.ask(D1, { ...one, type: 3, ciaddr: offer.address });
    expect(renewed).toMatchObject({ type: 5, address: offer.address });
    expect(option82(renewed)).toEqual(Buffer.from(info));
  });

  test('the offer of an instance that nobody has heard of yet is bound by the other', async () => {
    const fields = { ...client, mac: '02:00:00:00:40:04' };
    const one = { ...fields, relay: relayInfo({ serverOverride: HAND }) };
    await d1.end();
    await until('it is forgotten', async () => (await d2.status()).members.all.length === 1);
    await d1.start();
    const offer = await relay.ask(D1, { ...one, type: 1 });
    const ack = await relay.ask(D2, { ...one, type: 3, requested: offer.address, serverId: HAND });
    expect(ack).toMatchObject({ type: 5, address: offer.address });
  });

  test('a relay of no network gets no answer, and is counted', async () => {
    const before = await d1.count('unknown-network');
    await relay.send(D1, { ...client, giaddr: '10.77.0.1', type: 1 });
    await until('it is counted', async () => (await d1.count('unknown-network')) === before + 1);
  });
});

describe('PXE and iPXE', () => {
  const pxe = (arch: number) => ({
    giaddr: HAND,
    vendorClass: `PXEClient:Arch:${String(arch).padStart(5, '0')}:UNDI:003016`,
    options: [
      [93, [0, arch]],
      [94, [1, 3, 16]],
      [97, [0, ...Array.from({ length: 16 }, (_, at) => at)]],
    ] as [number, number[]][],
  });
  const ipxe = (arch: number) => {
    const fields = pxe(arch);
    return { ...fields, options: [...fields.options, [77, text('iPXE')]] as typeof fields.options };
  };

  test.each([
    { what: 'BIOS', mac: '02:00:00:00:50:01', fields: pxe(0), file: 'undionly.kpxe' },
    { what: 'EFI', mac: '02:00:00:00:50:02', fields: pxe(7), file: 'ipxe.efi' },
    { what: 'EFI by HTTP', mac: '02:00:00:00:50:03', fields: pxe(9), file: 'ipxe.efi' },
    { what: 'ARM: no class', mac: '02:00:00:00:50:04', fields: pxe(11), file: '' },
    { what: 'iPXE', mac: '02:00:00:00:50:05', fields: ipxe(7), file: 'http://10.20.0.9/boot.ipxe' },
  ])('$what, in the fields of the message', async ({ mac, fields, file }) => {
    const offer = await relay.ask(D1, { ...fields, mac, type: 1, ask: [1, 3, 60, 43] });
    expect(offer.file).toBe(file);
    expect(offer.sname).toBe(file === 'ipxe.efi' || file.startsWith('http') ? 'boot.example' : '');
    expect(offer.nextServer).toBe(file === '' ? '0.0.0.0' : '10.20.0.9');
    expect(offer.options.has(67)).toBe(false);
  });

  test('asked for as options 66 and 67, they are options', async () => {
    const mac = '02:00:00:00:50:06';
    const offer = await relay.ask(D2, { ...pxe(7), mac, type: 1, ask: [1, 66, 67] });
    expect(offer.options.get(67)?.toString()).toBe('ipxe.efi');
    expect(offer.options.get(66)?.toString()).toBe('boot.example');
    const chosen = { requested: offer.address, serverId: told(offer, 54) };
    const ack = await relay.ask(D2, { ...pxe(7), mac, type: 3, ask: [1, 66, 67], ...chosen });
    expect(ack.type).toBe(5);
    expect([...ack.options.keys()].sort()).toEqual([...offer.options.keys()].sort());
  });
});
