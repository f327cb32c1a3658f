// The ways in and out of a real dhcpd: sockets and captures that share the work, probes of
// addresses that somebody uses, servers that are none of ours.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BROADCAST_MAC, buildFrame } from '../../dhcpd/io/frames.ts';
import { until } from '../../lab/ready.ts';
import { ipv4 } from '../../shared/net/ipv4.ts';
import { discover } from '../support/dhcp/request.ts';
import { type DhcpClient, DhcpdRig } from '../support/dhcpd-rig.ts';
import { needs, program, root } from '../support/skip.ts';

const rig = new DhcpdRig();
const udhcpc = ['-i', 'e0', '-n', '-q', '-f', '-s', '/bin/true'];

beforeAll(async () => {
  if (!root().met) return;
  await rig.up(4);
  rig.config = { ...rig.config, limits: { perClient: 0 } };
  await rig.start();
});
afterAll(() => rig.down());

const count = async (reason: string): Promise<number> => (await rig.status()).messages[reason] ?? 0;

const CLIENT = {
  sourceMac: Uint8Array.of(2, 0, 0, 0, 0, 1),
  destinationMac: BROADCAST_MAC,
  source: ipv4(0),
  destination: ipv4(0xffffffff),
  sourcePort: 68,
  destinationPort: 67,
};

/** By the client's e0, as it is. */
async function send(client: DhcpClient, frame: Uint8Array): Promise<void> {
  const module = join(import.meta.dirname, '../../shared/bpf/packet-socket.ts');
  const script = `
    import { openPacketSocket } from '${module}';
    const socket = openPacketSocket(${await client.linkIndex()});
    socket.send(Buffer.from('${Buffer.from(frame).toString('hex')}', 'hex'));
    socket.close();`;
  const node = [process.execPath, '--input-type=module', '-e', script] as const;
  const { code, stderr } = await client.run(...node);
  expect(code, stderr).toBe(0);
}

async function addressOf(client: DhcpClient, ...more: string[]): Promise<string | undefined> {
  const { stderr } = await client.run('udhcpc', ...udhcpc, ...more);
  return /lease of (\S+) obtained/.exec(stderr)?.[1];
}

/** Runs a script of Node's in the client's namespace, with its UDP socket `s` bound to a port. */
async function withSocket(client: DhcpClient, port: number, script: string): Promise<string> {
  const open = `const s = require('node:dgram').createSocket('udp4'); s.bind(${port}, () => {`;
  const { stdout } = await client.run(process.execPath, '-e', `${open} ${script} });`);
  return stdout.trim();
}

describe('a message', () => {
  test('of a client on the link is handled once, though two hear it', async (context) => {
    needs(context, root(), program('udhcpc'));
    const before = await rig.status();
    expect(await addressOf(rig.client(0))).toMatch(/^10\.9\.0\./);
    const after = await rig.status();
    const added = (name: string) => (after.messages[name] ?? 0) - (before.messages[name] ?? 0);
    expect([added('offered'), added('acked-new'), added('duplicate')]).toEqual([1, 1, 0]);
    const left = 'left-to-capture';
    expect((after.dropped[left] ?? 0) - (before.dropped[left] ?? 0)).toBe(2);
  });

  test('of a relay comes by the socket, and the answer from port 67', async (context) => {
    needs(context, root(), program('perfdhcp'));
    const relay = rig.client(1);
    await relay.run('ip', 'address', 'add', '10.9.0.5/24', 'dev', 'e0');
    const { stdout } = await relay.run(
      'perfdhcp',
      ...['-4', '-r', '20', '-R', '20', '-n', '20', '-W', '500000', '-l', '10.9.0.5'],
      '10.9.0.1',
    );
    // A busy disk may make some of them late for perfdhcp.
    expect(stdout.match(/^received packets: [1-9]/gm), stdout).toHaveLength(2);
    expect(stdout).toMatch(/^non unique addresses: 0$/m);
  });

  test('with a VLAN tag is not taken for one without', async (context) => {
    needs(context, root());
    const client = rig.client(0);
    const [before, frame] = [
      await count('offered'),
      buildFrame({ ...CLIENT, payload: discover() }),
    ];
    await send(client, frame);
    await until('it is offered one', async () => (await count('offered')) > before);
    const offered = await count('offered');
    await send(client, Uint8Array.of(...frame.slice(0, 12), 0x81, 0, 0, 5, ...frame.slice(12)));
    const tagged = async () => (await rig.status()).dropped['frame-tagged'] ?? 0;
    await until('it is dropped', async () => (await tagged()) > 0);
    expect(await count('offered')).toBe(offered);
  });
});

describe('a free address that somebody uses', () => {
  test('is not offered again, but quarantined', async (context) => {
    needs(context, root(), program('udhcpc'));
    const [owner, squatter, asker] = [rig.client(0), rig.client(2), rig.client(3)];
    const address = await addressOf(owner);
    await rig.control('POST', '/lease/release', { address, force: true });
    const state = async () => (await rig.leases(`?address=${address}`))[0]?.state;
    await until('it is free', async () => (await state()) === 'free');
    await squatter.run('ip', 'address', 'add', `${address}/24`, 'dev', 'e0');
    const other = await addressOf(asker, '-r', `${address}`);
    expect(other).toMatch(/^10\.9\.0\./);
    expect(other).not.toBe(address);
    await until('it is quarantined', async () => (await state()) === 'declined');
    expect(rig.logText()).toContain('"event":"address-in-use"');
  });
});

test('a server that is none of ours is noticed, one of ours is not', async (context) => {
  needs(context, root());
  const rogue = rig.client(1); // it has 10.9.0.5
  const offer = (id: string) => `
    const b = Buffer.alloc(300); b[0] = 2;
    b.set([99,130,83,99, 53,1,2, 54,4,${id}, 255], 236);
    s.setBroadcast(true); s.send(b, 68, '10.9.0.255', () => s.close());`;
  const before = (await rig.status()).foreignAnswers;
  await withSocket(rogue, 67, offer('10,9,0,1'));
  await withSocket(rogue, 67, offer('10,9,0,5'));
  await until('it is heard', async () => (await rig.status()).foreignAnswers > before);
  expect((await rig.status()).foreignAnswers).toBe(before + 1);
  expect(rig.logText()).toMatch(/"event":"rogue-server".*"server":"10\.9\.0\.5"/);
});

test('without a socket of its own nobody is told "port unreachable"', async (context) => {
  needs(context, root(), program('udhcpc'), program('perfdhcp'));
  rig.config = { ...rig.config, relayed: { listen: [] } };
  await rig.start(); // so the canary goes by the link
  const short = await count('short');
  const asked = `
    s.on('error', (e) => { console.log(e.code); process.exit(); });
    s.connect(67, '10.9.0.1', () => s.send('too short', () => {
      s.send('too short', () => setTimeout(() => process.exit(), 300));
    }));`;
  expect(await withSocket(rig.client(1), 0, asked)).toBe('');
  expect(await addressOf(rig.client(0))).toMatch(/^10\.9\.0\./);
  const args = [
    '-4',
    '-r',
    '20',
    '-R',
    '5',
    '-n',
    '5',
    '-W',
    '500000',
    '-l',
    '10.9.0.5',
    '10.9.0.1',
  ];
  const { stdout } = await rig.client(1).run('perfdhcp', ...args);
  // A busy disk may make some of them late for perfdhcp.
  expect(stdout.match(/^received packets: [1-9]/gm), stdout).toHaveLength(2);
  expect(await count('short')).toBeGreaterThan(short);
});
