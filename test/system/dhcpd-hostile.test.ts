// A real dhcpd against whoever can reach it: noise, floods, forgeries, a store in which a foreign
// hand wrote, and an operator who errs. What it serves goes on all the while.
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BROADCAST_MAC, buildFrame } from '../../dhcpd/io/frames.ts';
import { until } from '../../lab/ready.ts';
import { openPacketSocket, type PacketSocket } from '../../shared/bpf/packet-socket.ts';
import { ipv4 } from '../../shared/net/ipv4.ts';
import { seededRandom } from '../../shared/random.ts';
import { addBridge } from '../support/dhcp/clients-machines.ts';
import { HandRelay, told } from '../support/dhcp/clients-relay.ts';
import { type Dhcpd, DhcpSite } from '../support/dhcp/clients-site.ts';
import { clientPackets } from '../support/dhcp/packets.ts';
import { type ClientFields, discover, inform } from '../support/dhcp/request.ts';
import { needs, program, root } from '../support/skip.ts';

const SERVER = '10.9.0.1';
const GATEWAY = '10.9.0.250';
const CALM = '10.77.0.1';
const BAD = '10.78.0.1';
const DECLINER = '10.79.0.1';
const HOLDER = '02:aa:00:00:00:01';
const MEBIBYTE = 2 ** 20;

const site = new DhcpSite();
const random = seededRandom(20261121);
let dhcpd: Dhcpd;
let calm: HandRelay;
let bad: HandRelay;
let link: PacketSocket;
let held = '';
/** Clients that are made up so far. */
let client = 0;
/** Bound to nothing: what is sent by it may claim anything. */
const anybody = createSocket('udp4');

const ask = (fields: ClientFields, relay = calm) =>
  relay.ask(SERVER, { giaddr: relay.address, mac: HOLDER, ...fields });
const renewed = () => ask({ type: 3, ciaddr: held });
const macAt = (at: number) =>
  `02:bb:00:${at
    .toString(16)
    .padStart(6, '0')
    .replace(/..(?=.)/g, '$&:')}`;

/** The whole exchange; the address. */
async function leased(mac: string, relay = calm): Promise<string> {
  const offer = await ask({ type: 1, mac }, relay);
  const ack = await ask({ type: 3, mac, requested: offer.address, serverId: SERVER }, relay);
  expect(ack.type).toBe(5);
  return ack.address;
}

async function plug(): Promise<void> {
  await site.machine('d1').plug('lan', 'e0', { addresses: [`${SERVER}/24`] });
  await site.machine('d1').ip(`route add 10.76.0.0/14 via ${GATEWAY}`);
}

async function expectUnharmed(): Promise<void> {
  expect(await renewed()).toMatchObject({ type: 5, address: held });
  const { state, messages } = await dhcpd.status();
  expect([state, messages.failed]).toEqual(['running', undefined]);
}

beforeAll(async () => {
  if (!root().met) return;
  await site.up(['d1']);
  const relays = [CALM, BAD, DECLINER].map((address) => `${address}/16`);
  addBridge('lan', `${GATEWAY}/24`, ...relays);
  await plug();
  await site.apply({
    subnets: [
      { subnet: '10.9.0.0/24', pools: ['10.9.0.10-10.9.0.200'] },
      { subnet: '10.77.0.0/16', pools: ['10.77.1.0-10.77.8.255'] },
      { subnet: '10.78.0.0/16', pools: ['10.78.1.0-10.78.40.255'] },
      { subnet: '10.79.0.0/16', pools: ['10.79.0.10-10.79.0.49'] },
    ],
  });
  dhcpd = site.dhcpd('d1', { links: ['e0'], limits: { perClient: 1000, declinesPerRelay: 1000 } });
  await site.start(dhcpd);
  [calm, bad] = [await HandRelay.open(CALM), await HandRelay.open(BAD)];
  const [found] = JSON.parse(execFileSync('ip', ['-j', 'link', 'show', 'lan'], text)) as [
    { ifindex: number }, // iproute2's own
  ];
  link = openPacketSocket(found.ifindex);
  held = await leased(HOLDER);
});
const text = { encoding: 'utf8' } as const;

beforeEach((context) => needs(context, root(), program('redis-server'), program('ip')));
afterAll(async () => {
  link?.close();
  anybody.close();
  await Promise.all([calm, bad].map((relay) => relay?.close()));
  await site.down();
});

function mutated(): Uint8Array {
  const sample = clientPackets[random.integer(clientPackets.length)]?.bytes ?? new Uint8Array(300);
  const isCut = random.integer(4) === 0;
  const bytes = sample.slice(0, isCut ? 1 + random.integer(sample.length - 1) : undefined);
  for (let left = random.integer(8); left > 0; left--) {
    bytes[random.integer(bytes.length)] = random.integer(256);
  }
  return bytes;
}

function frameOf(payload: Uint8Array): Uint8Array {
  return buildFrame({
    sourceMac: Uint8Array.of(2, 0xbb, 0, 0, 0, 1),
    destinationMac: BROADCAST_MAC,
    source: ipv4(0),
    destination: ipv4(0xffffffff),
    sourcePort: 68,
    destinationPort: 67,
    payload,
  });
}

/** A checksum, a length, a VLAN tag or the end that is wrong, or nothing. */
function damaged(frame: Uint8Array): Uint8Array {
  const kind = random.integer(8);
  const at = [24, 40, 16, 38, 20][kind];
  if (at !== undefined) frame[at] = (frame[at] ?? 0) ^ 0x21;
  if (kind === 5) return frame.subarray(0, 14 + random.integer(frame.length - 14));
  if (kind !== 6) return frame;
  return Uint8Array.of(...frame.subarray(0, 12), 0x81, 0, 0, 7, ...frame.subarray(12));
}

describe('noise', () => {
  test('damaged frames and mutated messages are counted, each under a name', async () => {
    for (let sent = 0; sent < 4000; sent++) {
      link.send(damaged(frameOf(mutated())));
      if (sent % 100 === 0) await turn();
    }
    const bytes = Array.from({ length: 6000 }, () => mutated());
    for (const [at, each] of bytes.entries()) {
      anybody.send(each, 67, SERVER);
      if (at % 100 === 0) await turn();
    }
    await expectUnharmed();
    const { messages, dropped } = (await dhcpd.control('GET', '/status')) as {
      messages: Record<string, number>;
      dropped: Record<string, number>;
    }; // its own document
    expect(messages).toMatchObject({ short: expect.any(Number), bootp: expect.any(Number) });
    for (const problem of ['bad-checksum', 'tagged', 'truncated']) {
      expect(dropped[`frame-${problem}`]).toBeGreaterThan(0);
    }
  });
});

describe('forgeries', () => {
  test('nobody who did not ask is sent anything', async () => {
    const nobody = ['255.255.255.255', '224.0.0.1', '127.0.0.1', '10.77.0.0', '10.77.255.255'];
    for (const giaddr of nobody) {
      anybody.send(discover({ giaddr, subnetSelection: '10.77.0.0' }), 67, SERVER);
    }
    const elsewhere = ['198.51.100.7', '224.0.0.1', '255.255.255.255', '10.77.255.255'];
    for (const ciaddr of elsewhere) anybody.send(inform({ ciaddr, giaddr: CALM }), 67, SERVER);
    const all = nobody.length + elsewhere.length;
    const counted = () => dhcpd.count('relay-unanswerable', 'inform-elsewhere');
    await until('all are counted', async () => (await counted()) >= all);
    await expectUnharmed();
  });

  test('what belongs to another is neither given, released nor declined', async () => {
    const thief = { mac: '02:bb:ff:00:00:01' };
    const released = await dhcpd.count('released');
    await calm.send(SERVER, { ...thief, type: 7, ciaddr: held, serverId: SERVER });
    await calm.send(SERVER, { ...thief, type: 4, giaddr: CALM, requested: held, serverId: SERVER });
    const named = { requested: held, serverId: SERVER };
    expect(await ask({ ...thief, type: 3, ...named })).toMatchObject({ type: 6 });
    await calm.send(SERVER, { ...thief, type: 3, giaddr: CALM, ciaddr: held });
    await until('it is left alone', async () => (await dhcpd.count('not-known')) > 0);
    const offer = await ask({ ...thief, type: 1, requested: held });
    expect(offer.address).not.toBe(held);
    expect(told(offer, 54)).toBe(SERVER);
    await expectUnharmed();
    expect(await dhcpd.count('released')).toBe(released);
  });

  test('DECLINEs of clients that are made up leave most of a pool', async () => {
    const decliner = await HandRelay.open(DECLINER);
    for (let at = 0; at < 40; at++) {
      const mac = macAt(0x10000 + at);
      const requested = (await ask({ type: 1, mac }, decliner)).address;
      await ask({ type: 3, mac, requested, serverId: SERVER }, decliner);
      const fields = { type: 4, mac, giaddr: DECLINER, requested, serverId: SERVER };
      await decliner.send(SERVER, fields);
    }
    await until('all are declined', async () => (await dhcpd.count('declined')) === 40);
    const rows = (await dhcpd.leases('?state=declined')) as unknown as { holdUntil: number }[];
    const inAnHour = Math.floor(Date.now() / 1000) + 3600;
    expect(rows.filter(({ holdUntil }) => holdUntil > inAnHour).length).toBe(10);
    await decliner.close();
    await expectUnharmed();
  });
});

describe('a flood', () => {
  const residentMebibytes = () => {
    const status = readFileSync(`/proc/${dhcpd.program?.child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
  };

  /** Of clients that are made up, faster than anybody serves; meanwhile the holder renews. */
  async function flood(): Promise<void> {
    const renewing = (async () => {
      for (let times = 0; times < 5; times++) expect((await renewed()).type).toBe(5);
    })();
    for (let sent = 0; sent < 40_000; sent++) {
      const fields = { mac: macAt(client++ & 0xffff), xid: client, giaddr: BAD };
      anybody.send(discover(fields), 67, SERVER);
      if (sent % 100 === 0) await turn();
    }
    await renewing;
  }

  test('holders renew, memory is bounded, and new clients are served right after', async () => {
    await flood();
    const before = residentMebibytes();
    await flood();
    await flood();
    expect(residentMebibytes() - before).toBeLessThan(200);
    expect(await leased('02:aa:00:00:00:02')).toMatch(/^10\.77\./);
    await expectUnharmed();
    expect(await dhcpd.count('offered')).toBeGreaterThan(1000);
  });
});

describe('a store in which a foreign hand wrote', () => {
  /** BLOCK: the key of the one that the holder's record is in. */
  async function redis(command: string): Promise<void> {
    const octets = held.split('.').slice(0, 3).map(Number);
    const key = `edge:1:{dhcpd/b/${Buffer.from(octets).toString('hex')}}:r`;
    expect(await site.redis?.ask(command.replace('BLOCK', key))).not.toMatch(/^-/);
  }

  test.each([
    ['a block of no history that ever was', 'SETRANGE BLOCK 0 "\\xff\\x00\\xfe\\x01abcdefghijkl"'],
    ['a block of no history at all', 'SETRANGE BLOCK 0 "\\x00\\x00\\x07"'],
    ['a block that is cut off', 'SET BLOCK abc'],
    ['an entry of the log that is none', 'XADD edge:1:{dhcpd/leases}:log * i 5 r short e nothing'],
    ['blocks that are none in the registry', 'SADD edge:1:{dhcpd/blocks}:all nonsense ffffff'],
  ])('%s: clients are served on', async (_what, command) => {
    await redis(command);
    const mac = macAt(client++ + 0x20000);
    await until('a client gets an address', () => leased(mac).catch(() => undefined));
    await until('the holder renews', async () => (await renewed()).type === 5);
  });

  test('while it is full nothing is promised that was not written', async () => {
    const [acked, mac] = [await dhcpd.count('acked-new'), macAt(0x30001)];
    const { address } = await ask({ type: 1, mac });
    await redis('CONFIG SET maxmemory 1');
    const wanted = { requested: address, serverId: SERVER };
    await calm.send(SERVER, { type: 3, mac, giaddr: CALM, ...wanted });
    await until('it is refused', async () => (await dhcpd.count('bind-store')) > 0);
    expect(await dhcpd.count('acked-new')).toBe(acked);
    await redis('CONFIG SET maxmemory 0');
    await until('it is served', () => leased(mac).catch(() => undefined));
    await expectUnharmed();
  });
});

describe('an operator who errs', () => {
  const path = () => join(dhcpd.directory, 'dhcpd.yaml');
  const log = () => dhcpd.program?.output() ?? '';

  test('a configuration that is wrong is not taken over', async () => {
    const good = readFileSync(path(), 'utf8');
    writeFileSync(path(), '{ "links": [e0, "serverId": here }');
    dhcpd.program?.child.kill('SIGHUP');
    await until('it is refused', () => log().includes('"reload-refused"'));
    writeFileSync(path(), good);
    await expectUnharmed();
  });

  test('questions that make no sense are answered with what is wrong', async () => {
    const wrong = ['limit=-1', 'after=x', 'mac=x', 'state=__proto__', 'address=1.2.3.4&address=5'];
    for (const query of wrong) {
      const asked = dhcpd.control('GET', `/leases?${query}`);
      await expect(asked).rejects.toMatchObject({ code: 'EDGE_DHCPD_QUESTION' });
    }
    for (const body of [
      [],
      { mac: 5 },
      { mac: HOLDER, clientId: 'z' },
      { mac: HOLDER, link: 'x' },
    ]) {
      const asked = dhcpd.control('POST', '/explain', body);
      await expect(asked).rejects.toMatchObject({ code: 'EDGE_DHCPD_QUESTION' });
    }
    const long = dhcpd.control('POST', '/explain', { mac: 'x'.repeat(2 * MEBIBYTE) });
    await expect(long).rejects.toMatchObject({ code: 'EDGE_CONTROL_BODY' });
    expect((await dhcpd.leases('?limit=999999999999')).length).toBeLessThanOrEqual(1000);
  });

  test('a link that is deleted while it is served, and made again', async () => {
    await site.machine('d1').ip('link delete e0');
    await until('it is missing', async () => (await dhcpd.status()).state === 'not-ready');
    await plug();
    await until('it is served', async () => (await dhcpd.status()).state === 'running');
    const offers = await dhcpd.count('offered');
    link.send(frameOf(discover({ mac: macAt(0x40001) })));
    await until('it is heard', async () => (await dhcpd.count('offered')) > offers);
    await expectUnharmed();
  });

  test('files of an earlier run that are damaged stand in nobody’s way', async () => {
    await dhcpd.end('SIGTERM');
    for (const file of ['leases.snapshot', 'leases.journal', 'dhcpd.snapshot']) {
      writeFileSync(join(dhcpd.directory, file), Buffer.alloc(10_000, 'damage'));
    }
    await dhcpd.start();
    expect(log()).toContain('"book-snapshot-refused"');
    await expectUnharmed();
  });
});
