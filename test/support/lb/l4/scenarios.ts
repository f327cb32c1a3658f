// What must hold over several packets and changes of the table: docs/balancing.md K2, K4, K5, K8.
// Played through the reference model and through the loaded programs.
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Program, State, Target } from '../../../../lb/l4/model/types.ts';
import { portsOf, TCP, viewPacket } from '../../../../shared/net/packet-view.ts';
import { address, ethernet, filler, fragments, ipv4, tcp, udp } from '../../packet.ts';
import { portTo } from './cases/case.ts';
import { arriving, CLIENT, siteTable, vip, vm } from './site.ts';

export type Sent = { reason: string | undefined; target: number; frame: Uint8Array };

/** A balancer with the site's table. */
export type Player = {
  send(program: Program, frame: Uint8Array): Sent;
  swap(pool: number, slots: readonly number[]): void;
  setTarget(slot: number, target: Target): void;
  /** What it knows becomes so much older. */
  age(seconds: number): void;
  fillGate(): void;
  state(): State;
};

const ACK = { flags: 0x10 };
const data = filler(8);
const web = (port: number, options?: { flags: number }) =>
  arriving('uplink', ipv4(CLIENT, vip(5), tcp(port, 80, data, options)));
const dns = (port: number) => arriving('uplink', ipv4(CLIENT, vip(5), udp(port, 53, data)));
const targetOf = (slot: number): Target => {
  const target = siteTable.targets.get(slot);
  if (target === undefined) throw new Error(`no target ${slot}`);
  return target;
};
const manyPorts = Array.from({ length: 200 }, (_, index) => 20_000 + index);

/** Known flows, one for each port, all of VIP 5's port 80; which target each has. */
function establish(player: Player): Map<number, number> {
  return new Map(manyPorts.map((port) => [port, player.send('lb_uplink', web(port, ACK)).target]));
}

const swapped = (player: Player): void => {
  const before = establish(player);
  expect(new Set(before.values())).toEqual(new Set([1, 2]));
  player.swap(1, [17]);
  for (const [port, target] of before) {
    expect(player.send('lb_uplink', web(port, ACK)).target).toBe(target);
  }
  expect(player.send('lb_uplink', web(30_000, ACK)).target).toBe(17);
  const [port = 0] = manyPorts;
  expect(player.send('lb_uplink', web(port)).target, 'a SYN starts anew').toBe(17);
  expect(player.send('lb_uplink', web(port, ACK)).target).toBe(17);
};

const flooded = (player: Player): void => {
  for (const port of manyPorts) player.send('lb_uplink', web(port));
  expect(player.state().connections.size).toBe(0);
};

const gated = (player: Player): void => {
  const before = establish(player);
  for (const port of manyPorts) {
    player.fillGate(); // it is full for a second only, and machines are slow
    player.send('lb_uplink', dns(port));
  }
  expect(player.state().connections.size, 'nothing new').toBe(before.size);
  player.swap(1, [17]);
  for (const [port, target] of before) {
    expect(player.send('lb_uplink', web(port, ACK)).target).toBe(target);
  }
  player.age(1.5);
  for (const port of manyPorts) player.send('lb_uplink', dns(port));
  expect(player.state().connections.size).toBe(before.size + manyPorts.length);
};

const idle = (player: Player): void => {
  const before = new Map(
    manyPorts.map((port) => [port, player.send('lb_uplink', dns(port)).target]),
  );
  player.swap(13, [17]);
  player.age(50);
  const [first = 0, ...rest] = manyPorts;
  expect(player.send('lb_uplink', dns(first)).target, 'known, and refreshed').toBe(
    before.get(first),
  );
  player.age(20);
  expect(player.send('lb_uplink', dns(first)).target).toBe(before.get(first));
  for (const port of rest) expect(player.send('lb_uplink', dns(port)).target).toBe(17);
};

const reused = (player: Player): void => {
  const port = portTo(2, 'tcp', vip(5), 80);
  expect(player.send('lb_uplink', web(port, ACK)).target).toBe(2);
  player.swap(1, [1]);
  player.setTarget(2, { ...targetOf(2), address: address(vm(9)), generation: 999 });
  expect(player.send('lb_uplink', web(port, ACK)).target, 'not the newcomer').toBe(1);
  player.swap(1, [2]);
  expect(player.send('lb_uplink', web(port, ACK)).target, 'known by now').toBe(1);
};

/** VIP 5 says reset, VIP 6 leave. */
const removed = (player: Player): void => {
  const left = (port: number) => arriving('uplink', ipv4(CLIENT, vip(6), tcp(port, 80, data, ACK)));
  const [reset, leave] = [portTo(2, 'tcp', vip(5), 80), portTo(19, 'tcp', vip(6), 80)];
  expect(player.send('lb_uplink', web(reset, ACK)).target).toBe(2);
  expect(player.send('lb_uplink', left(leave)).target).toBe(19);
  player.swap(1, [1]);
  player.swap(15, [18]);
  player.setTarget(2, { ...targetOf(2), gone: true });
  player.setTarget(19, { ...targetOf(19), gone: true });
  expect(player.send('lb_uplink', web(reset, ACK)).target).toBe(1);
  expect(player.send('lb_uplink', left(leave)).target).toBe(19);
  player.setTarget(2, targetOf(2));
  expect(player.send('lb_uplink', web(reset, ACK)).target, 'moved for good').toBe(1);
};

/** A datagram in pieces, in either order; VIP 5 has one server of UDP. */
const pieces = (player: Player): void => {
  for (const [id, order] of [
    [1, [0, 1, 2]],
    [2, [2, 1, 0]],
    [3, [1, 0, 2]],
  ] as const) {
    const layer = udp(4000, 53, filler(100));
    const parts = fragments(CLIENT, vip(5), layer, [40, 80], { id });
    const targets = order.map((index) => {
      const part = parts[index];
      if (part === undefined) throw new Error('three parts');
      return player.send('lb_uplink', arriving('uplink', part)).target;
    });
    expect(new Set(targets).size, `order ${order.join(' ')}`).toBe(1);
  }
  expect(player.state().connections.size).toBe(0);
};

const NAT_SERVERS = [
  { vip: vip(5), port: 80, protocol: 6 },
  { vip: vip(5), port: 443, protocol: 6 },
  { vip: vip(5), port: 53, protocol: 17 },
  { vip: vip(6), port: 80, protocol: 6 },
  { vip: vip(6), port: 5000, protocol: 17 },
  { vip: vip(6), port: 5099, protocol: 17 },
  { vip: vip(8), port: 81, protocol: 6 },
];

/** What the target answers comes back to the client as the answer to what it asked. */
const roundTrip = (player: Player): void => {
  const property = fc.property(
    fc.constantFrom(...NAT_SERVERS),
    fc.integer({ min: 1, max: 65_535 }),
    fc.constantFrom(0x02, 0x10, 0x18),
    (of, port, flags) => {
      const layer = (from: number, to: number) =>
        of.protocol === TCP ? tcp(from, to, data, { flags }) : udp(from, to, data);
      const asked = ipv4(CLIENT, of.vip, layer(port, of.port));
      const there = player.send('lb_uplink', arriving('uplink', asked));
      expect(there.reason).toBe('IN_REDIRECTED');
      const seen = viewPacket(there.frame);
      const ports = seen && portsOf(seen);
      if (seen === undefined || ports === undefined) throw new Error('what left is no packet');
      expect([seen.source, ports.source]).toEqual([address(CLIENT), port]);
      const by = dotted(seen.destination);
      const said = ipv4(by, CLIENT, layer(ports.destination, port));
      const back = player.send('lb_inside', arriving('inside', said));
      expect(back.reason).toBe('OUT_REDIRECTED');
      const wanted = ipv4(of.vip, CLIENT, layer(of.port, port), { ttl: 63 });
      const frame = ethernet('02:00:00:00:01:fe', '02:00:00:00:01:01', wanted);
      expect(Buffer.from(back.frame).equals(Buffer.from(frame))).toBe(true);
    },
  );
  fc.assert(property, { numRuns: 300, seed: 20265 });
};

const dotted = (value: number): string =>
  [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');

export const scenarios: [what: string, play: (player: Player) => void][] = [
  ['what a target answers comes back as the VIP’s', roundTrip],
  ['a known flow keeps its target when the table is swapped', swapped],
  ['a flood of SYNs is not remembered', flooded],
  ['the flood gate keeps out new flows, not known ones, for a second', gated],
  ['UDP is known for 60 s after its last packet', idle],
  ['a slot that is used again does not get its old flows', reused],
  ['flows of a removed target are moved, or left, as the server says', removed],
  ['all pieces of a datagram go to one target, in any order', pieces],
];
