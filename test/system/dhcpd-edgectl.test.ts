// `edgectl explain MAC` and `edgectl lease …` of a real dhcpd: what operators see of its clients.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { until } from '../../lab/ready.ts';
import { addBridge } from '../support/dhcp/clients-machines.ts';
import { HandClients } from '../support/dhcp/clients-promises.ts';
import { type Dhcpd, DhcpSite, type LeaseRow } from '../support/dhcp/clients-site.ts';
import { needs, root } from '../support/skip.ts';

const rig = new DhcpSite();
const HAND = '10.20.0.1';
const SERVER = '10.20.0.11';
const MAC = '02:00:00:00:70:01';
const OTHER = '02:00:00:00:70:02';
const SILENT = '02:00:00:00:70:03';
const RESERVED = '02:00:00:00:70:05';
let dhcpd: Dhcpd;
let clients: HandClients;
let address = '';

beforeAll(async () => {
  if (!root().met) return;
  await rig.up(['d1']);
  addBridge('srv', `${HAND}/24`);
  await rig.machine('d1').plug('srv', 'e0', { addresses: [`${SERVER}/24`] });
  const subnet = { subnet: '10.70.0.0/24', pools: ['10.70.0.10-10.70.0.200'], relays: [HAND] };
  const reservations = [{ address: '10.70.0.5', mac: RESERVED }];
  await rig.apply({ subnets: [subnet], reservations });
  dhcpd = rig.dhcpd('d1');
  await dhcpd.start();
  clients = await HandClients.open(HAND);
  address = (await clients.lease(SERVER, MAC)) ?? '';
});
beforeEach((context) => needs(context, root()));
afterAll(async () => {
  await clients?.close();
  await rig.down();
});

const edgectl = (...argv: string[]) => rig.edgectl([...argv, '--socket', dhcpd.socket]);
const asked = <T>(...argv: string[]) => rig.asked<T>(...argv, '--socket', dhcpd.socket);

test('lease list', async () => {
  const rows = await asked<LeaseRow[]>('lease', 'list', '--state', 'bound');
  expect(rows).toEqual([expect.objectContaining({ address, mac: MAC, state: 'bound' })]);
  const { code, out } = await edgectl('lease', 'list', '--mac', MAC);
  expect(code).toBe(0);
  expect(out).toMatch(/^ADDRESS/);
  expect(out).toContain(`${address} `);
  expect((await edgectl('lease', 'list', '--mac', OTHER)).out).not.toContain('10.70.');
});

test('lease show', async () => {
  const { code, out } = await edgectl('lease', 'show', address);
  expect(code).toBe(0);
  expect(out).toContain(MAC);
  expect(out).toContain('bound');
});

test.each([
  { what: 'one that holds an address', mac: MAC, verdict: 'offered', reason: 'offered-own' },
  { what: 'a new one', mac: OTHER, verdict: 'offered', reason: 'offered' },
  { what: 'one with a reservation', mac: RESERVED, verdict: 'offered', reason: /reservation/ },
])('explain: $what', async ({ mac, verdict, reason }) => {
  const said = await asked<{ reason: string }>('explain', mac, '--relay', HAND);
  expect(said).toMatchObject({ verdict });
  expect(said.reason).toMatch(reason);
  if (mac !== OTHER) expect(await asked('explain', mac)).toMatchObject({ verdict }); // known anyhow
  const { out } = await edgectl('explain', mac, '--relay', HAND);
  expect(out).toContain('subnet 10.70.0.0/24');
});

test('explain: why one got no answer', async () => {
  await clients.relay.send(SERVER, { mac: SILENT, giaddr: '10.99.0.1', type: 1 });
  await until('it is known', async () => {
    const said = await asked<{ last?: object }>('explain', SILENT, '--relay', '10.99.0.1');
    expect(said).toMatchObject({ verdict: 'silent', reason: 'unknown-network' });
    expect(said.last).toMatchObject({ type: 'DISCOVER', reason: 'unknown-network' });
    return true;
  });
});

test('lease release, after which the client gets it again, for nobody else had it', async () => {
  const { code, out, err } = await edgectl('lease', 'release', address);
  expect(code, err).toBe(0);
  expect(out).toContain(address);
  const [row] = await asked<LeaseRow[]>('lease', 'list', '--mac', MAC);
  expect(row).toMatchObject({ address, state: 'free' });
  const again = await edgectl('lease', 'release', address);
  expect(again.code).not.toBe(0);
  expect(again.err).toContain(`nobody holds ${address}`);
  expect(await clients.lease(SERVER, MAC)).toBe(address);
});

test('lease history, by address and by client', async () => {
  await clients.lease(SERVER, OTHER);
  type Event = { type: string; address: string; mac: string };
  const ofAddress = await asked<Event[]>('lease', 'history', address);
  expect(ofAddress.map(({ type }) => type)).toEqual(['bind', 'free', 'bind']);
  expect(ofAddress.every((event) => event.address === address)).toBe(true);
  const ofClient = await asked<Event[]>('lease', 'history', OTHER);
  expect(ofClient.map(({ type, mac }) => [type, mac])).toEqual([['bind', OTHER]]);
});

test('an instance that is gone is told as such', async () => {
  await dhcpd.end();
  const { code, err } = await edgectl('lease', 'list');
  expect(code).toBe(3);
  expect(err).toContain('no daemon answers');
});
