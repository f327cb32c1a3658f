import { beforeEach, describe, expect, test } from 'vitest';
import type { IoEvent } from '../../../../dhcpd/io/events.ts';
import { BROADCAST_MAC, buildFrame, readFrame } from '../../../../dhcpd/io/frames.ts';
import type { Interface } from '../../../../dhcpd/io/interfaces.ts';
import { filterOf, Links } from '../../../../dhcpd/io/links.ts';
import type { Ingress } from '../../../../dhcpd/io/types.ts';
import { ManualClock } from '../../../../shared/clock.ts';
import { type Log, silentLog } from '../../../../shared/log.ts';
import { ipv4, parseIpv4 } from '../../../../shared/net/ipv4.ts';

const address = (text: string) => parseIpv4(text) ?? ipv4(0);
const MAC = Uint8Array.of(2, 0, 0, 0, 0, 1);
const CLIENT = Uint8Array.of(2, 0, 0, 0, 0, 9);
const EVERYBODY = '255.255.255.255';

const eth1: Interface = {
  name: 'eth1',
  index: 3,
  mac: MAC,
  up: true,
  addresses: [{ family: 4, address: address('10.1.0.1'), bits: 24 }],
};

type Fake = { link: string; filter: string; sent: Uint8Array[]; isOpen: boolean };

let found: Interface[];
let captures: Fake[];
let listeners: ((frame: Uint8Array) => void)[];
let heard: { bytes: Uint8Array; ingress: Ingress }[];
let counted: string[];
let servers: string[];
let links: Links;

beforeEach(() => {
  [found, captures, listeners, heard, counted, servers] = [[eth1], [], [], [], [], []];
  links = new Links({
    names: ['eth1', 'l3-*'],
    takesRelayed: false,
    ownAddresses: [address('192.0.2.53')],
    interfaces: { list: async () => found, watch() {} },
    openCapture(link, filter, _ringBytes, onFrame) {
      const fake: Fake = { link, filter, sent: [], isOpen: true };
      captures.push(fake);
      listeners.push(onFrame);
      return {
        send: (frame) => void fake.sent.push(frame),
        close() {
          fake.isOpen = false;
        },
      };
    },
    clock: new ManualClock(),
    log: silentLog as Log<IoEvent>, // it takes any event
    onMessage: (bytes, ingress) => void heard.push({ bytes, ingress }),
    onServerMessage: (link) => void servers.push(link.name),
    onArpReply() {},
    count: (reason) => void counted.push(reason),
  });
});

const message = (destination: string, destinationPort = 67) =>
  buildFrame({
    sourceMac: CLIENT,
    destinationMac: BROADCAST_MAC,
    source: ipv4(0),
    destination: address(destination),
    sourcePort: 68,
    destinationPort,
    payload: Uint8Array.of(1, 2, 3),
  });

describe('what comes by a link', () => {
  test.each([
    ['to everybody', EVERYBODY, 1],
    ['to its own address', '10.1.0.1', 1],
    ['to its broadcast address', '10.1.0.255', 1],
    ['to the server identifier', '192.0.2.53', 1],
    ['to another server behind us', '10.2.0.1', 0],
  ])('%s', async (_what, destination, count) => {
    await links.look();
    listeners[0]?.(message(destination));
    expect(heard).toHaveLength(count);
    expect(counted).toEqual(count === 1 ? [] : ['not-for-us']);
  });

  test('is a copy, with where from', async () => {
    await links.look();
    const frame = message(EVERYBODY);
    listeners[0]?.(frame);
    frame.fill(0);
    expect(heard[0]?.bytes).toEqual(Uint8Array.of(1, 2, 3));
    expect(heard[0]?.ingress).toMatchObject({ link: { name: 'eth1' }, sourcePort: 68 });
  });

  test('of a server is told apart, of nobody is counted', async () => {
    await links.look();
    listeners[0]?.(message(EVERYBODY, 68));
    listeners[0]?.(message(EVERYBODY).subarray(0, 30));
    expect(servers).toEqual(['eth1']);
    expect(counted).toEqual(['frame-truncated']);
  });
});

describe('a link is', () => {
  test('opened once, with a filter on its MAC', async () => {
    await links.look();
    await links.look();
    expect(captures).toHaveLength(1);
    expect(captures[0]?.filter).toBe(filterOf(MAC, false));
    expect([...links.captured]).toEqual([3]);
    expect(links.states[0]?.problem).toBeUndefined();
  });

  test.each([
    ['not there', [], 'it is not there'],
    ['down', [{ ...eth1, up: false }], 'it is down'],
    ['no Ethernet', [{ ...eth1, mac: undefined }], 'it is no Ethernet link'],
  ])('closed and missed when it is %s, opened when it is back', async (_what, now, problem) => {
    await links.look();
    found = now;
    await links.look();
    expect(captures[0]?.isOpen).toBe(false);
    expect(links.states).toEqual([{ name: 'eth1', problem }]);
    expect(links.captured.size).toBe(0);
    found = [eth1];
    await links.look();
    expect(captures[1]?.isOpen).toBe(true);
  });

  test.each([
    ['was down in between', eth1, new Set(['eth1'])],
    ['is another one of the name', { ...eth1, index: 9 }, new Set<string>()],
    ['has another MAC', { ...eth1, mac: CLIENT }, new Set<string>()],
  ])('opened anew when it %s', async (_what, now, wentDown) => {
    await links.look();
    found = [now];
    await links.look(wentDown);
    expect(captures.map(({ isOpen }) => isOpen)).toEqual([false, true]);
  });

  test('left open when an address is added', async () => {
    await links.look();
    found = [{ ...eth1, addresses: [] }];
    await links.look();
    expect(captures).toHaveLength(1);
    expect(links.link('eth1')?.addresses).toEqual([]);
  });
});

test('links of a pattern come and go', async () => {
  const bridge = { ...eth1, name: 'l3-0a400004', index: 7 };
  found = [eth1, bridge, { ...eth1, name: 'l4-x', index: 8 }];
  await links.look();
  expect(links.states.map(({ name }) => name)).toEqual(['eth1', 'l3-0a400004']);
  found = [eth1, { ...bridge, up: false }];
  await links.look();
  found = [eth1];
  await links.look();
  expect(links.states).toMatchObject([{ name: 'eth1' }]);
  expect(captures.map(({ isOpen }) => isOpen)).toEqual([true, false]);
});

test('a reply is a frame to the client that may not have its address yet', async () => {
  await links.look();
  const reply = { bytes: Uint8Array.of(9), source: address('10.1.0.1'), port: 68 };
  const to = { address: address('10.1.0.7'), mac: CLIENT };
  links.send({ ...reply, ...to, by: 'link', link: 'eth1' });
  links.send({ ...reply, ...to, by: 'link', link: 'eth9' });
  expect(readFrame(captures[0]?.sent[0] ?? new Uint8Array(0))).toMatchObject({
    sourceMac: MAC,
    destinationMac: CLIENT,
    source: address('10.1.0.1'),
    destination: address('10.1.0.7'),
    sourcePort: 67,
    destinationPort: 68,
    payload: Uint8Array.of(9),
  });
  expect(counted).toEqual(['send-failed']);
});
