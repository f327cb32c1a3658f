// A process of its own in a client's or a VM's network namespace: sends hostile frames to a natter
// for a while, and prints how many. natter-flood.ts LINK NATTER-MAC in|out SECONDS SEED
import { execFileSync } from 'node:child_process';
import { openPacketSocket } from '../../shared/bpf/packet-socket.ts';
import { pick, type Random, seededRandom } from '../../shared/random.ts';
import {
  address,
  concat,
  ethernet,
  icmp,
  icmpError,
  ipv4Around,
  type Layer,
  raw,
  tcp,
  u16,
  udp,
} from './packet.ts';

const MAPPED = '198.51.100.7';
const FORWARDS = '198.51.100.8';
const EIPS = [MAPPED, FORWARDS, '198.51.100.99'];
const NATTER = ['192.0.2.1', '10.0.0.1'];
const VM = '10.0.0.5';
const STRANGERS = ['192.0.2.2', '203.0.113.9', '1.1.1.1'];
const MARTIANS = ['0.0.0.0', '127.0.0.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'];

type Side = 'in' | 'out';
const address4 = (text: string) => address(text);

function layer(random: Random, from: string, to: string): Layer {
  const port = () => random.integer(65_536);
  const quoted = () => {
    const inner = random.integer(2) === 0 ? udp(port(), port()) : tcp(port(), port());
    const ends = pick(random, [
      [to, from],
      [from, to],
      [MAPPED, VM],
      [VM, MAPPED],
      [FORWARDS, '10.0.0.6'],
    ]);
    const [source = to, destination = from] = ends;
    const [a, b] = [address4(source), address4(destination)];
    return ipv4Around(a, b, inner.protocol, inner.bytes(a, b), {});
  };
  const error = () => {
    const type = pick(random, [3, 4, 5, 11, 12]);
    const bytes = pick(random, [0, 4, 8, 20]);
    return icmpError(type, random.integer(16), quoted(), { bytes });
  };
  return pick(random, [
    () => udp(port(), pick(random, [port(), 443, 8443])),
    () => tcp(port(), pick(random, [port(), 443])),
    () => icmp(8, 0, [0, 1, 0, 1], new Uint8Array(8)),
    error,
    error,
    () => raw(random.integer(256), random.bytes(random.integer(64))),
    () => raw(pick(random, [1, 6, 17, 33, 136]), random.bytes(random.integer(12))), // cut short
  ])();
}

function packet(random: Random, side: Side): Uint8Array {
  const strange = random.integer(4) === 0;
  const inbound = side === 'in';
  const outsider = pick(random, strange ? [...EIPS, ...NATTER, ...MARTIANS, VM] : STRANGERS);
  const target = pick(random, EIPS);
  const goal = pick(random, strange ? [...EIPS, ...NATTER, ...MARTIANS] : STRANGERS);
  const [from, to] = inbound ? [outsider, target] : [VM, goal];
  const [source, destination] = [address4(from), address4(to)];
  const { protocol, bytes } = layer(random, from, to);
  const body = bytes(source, destination);
  const odd = random.integer(4);
  const piece = odd === 1 ? body.subarray(0, random.integer(3) * 8) : body;
  return ipv4Around(source, destination, protocol, piece, {
    ttl: pick(random, [0, 1, 2, 64, 255]),
    id: random.integer(8), // few, so that fragments overlap
    ...(odd === 1 && {
      offsetBytes: pick(random, [0, 8, 16, 65_512]),
      moreFragments: random.integer(2) === 0,
    }),
    ...(odd === 2 && { options: [...random.bytes(4 * (1 + random.integer(10)))] }),
  });
}

/** A few bytes off, anywhere; the addresses stay, so that it remains a matter of the natter's. */
function spoil(random: Random, bytes: Uint8Array): Uint8Array {
  const spoilt = bytes.slice();
  for (let count = random.integer(4); count > 0; count -= 1) {
    const at = random.integer(spoilt.length);
    if (at < 12 || at > 19) spoilt[at] = random.integer(256);
  }
  return spoilt;
}

function frame(random: Random, side: Side, natterMac: string, ownMac: string): Uint8Array {
  const whole = packet(random, side);
  const bytes = random.integer(3) === 0 ? spoil(random, whole) : whole;
  const cut = random.integer(10) === 0 ? bytes.subarray(0, random.integer(bytes.length)) : bytes;
  const kind = random.integer(20);
  const to = kind === 0 ? 'ff:ff:ff:ff:ff:ff' : kind === 1 ? '01:00:5e:00:00:01' : natterMac;
  if (kind === 2) return ethernet(to, ownMac, cut, { vlan: random.integer(4096) });
  if (kind !== 3) return ethernet(to, ownMac, cut);
  const inner = concat(u16(random.integer(4096)), [0x08, 0x00], cut);
  return ethernet(to, ownMac, inner, { vlan: 7, type: 0x8100 });
}

function main([link = '', natterMac = '', side = 'in', seconds = '1', seed = '1']: string[]): void {
  // Not /sys/class/net: that is of the network namespace in which it was mounted.
  const shown = execFileSync('ip', ['-j', 'link', 'show', link], { encoding: 'utf8' });
  const [own] = JSON.parse(shown) as [{ ifindex: number; address: string }]; // iproute2's own
  const random = seededRandom(Number(seed));
  const socket = openPacketSocket(own.ifindex);
  const endMs = performance.now() + Number(seconds) * 1000;
  let sent = 0;
  while (performance.now() < endMs) {
    for (let count = 0; count < 64; count += 1) {
      socket.send(frame(random, side === 'out' ? 'out' : 'in', natterMac, own.address));
    }
    sent += 64;
  }
  socket.close();
  process.stdout.write(`${sent}\n`);
}

main(process.argv.slice(2));
