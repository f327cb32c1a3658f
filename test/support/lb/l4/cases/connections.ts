// What a known flow is worth. docs/balancing.md K4.
import { filler, ipv4, tcp, udp } from '../../../packet.ts';
import { CLIENT, vip, vm } from '../site.ts';
import { flow, into, known, type LbCase, portTo, serverAt } from './case.ts';

const FLAGS = { SYN: 2, ACK: 0x10, FIN: 0x11, RST: 4, 'RST ACK': 0x14, 'SYN ACK': 0x12 };
type Flags = keyof typeof FLAGS;

/** VIP 5, port 80 has targets 1 and 2; the table says 1 for this port of the client. */
const PORT = portTo(1, 'tcp', vip(5), 80);
const FLOW = flow('tcp', PORT, vip(5), 80);

function tcpTo(
  what: string,
  flags: Flags,
  slot: number,
  given: {
    connection?: ReturnType<typeof known>;
    after: number | undefined;
    steps: LbCase['steps'];
  },
): LbCase {
  const layer = (port: number) => tcp(PORT, port, filler(3), { flags: FLAGS[flags] });
  const { connection, after, steps } = given;
  return into(
    what,
    ipv4(CLIENT, vip(5), layer(80)),
    ipv4(CLIENT, vm(slot + 4), layer(8080), { ttl: 63 }),
    vm(slot + 4),
    {
      server: serverAt(vip(5), 'tcp', 80),
      target: slot,
      opens: flags.startsWith('SYN') ? 1 : 0,
      ...(connection && { connections: { [FLOW]: connection } }),
      flows: after === undefined ? {} : { [FLOW]: after },
      steps,
    },
  );
}

const unknown: LbCase[] = [
  tcpTo('a SYN is not remembered', 'SYN', 1, { after: undefined, steps: ['BY_TABLE'] }),
  tcpTo('nor is an unasked SYN ACK', 'SYN ACK', 1, { after: undefined, steps: ['BY_TABLE'] }),
  tcpTo('an ACK is', 'ACK', 1, { after: 1, steps: ['BY_TABLE', 'CONNECTION_WRITTEN'] }),
  tcpTo('a FIN is', 'FIN', 1, { after: 1, steps: ['CONNECTION_WRITTEN'] }),
  tcpTo('an RST is not', 'RST', 1, { after: undefined, steps: ['BY_TABLE'] }),
  tcpTo('an RST ACK is not', 'RST ACK', 1, { after: undefined, steps: ['BY_TABLE'] }),
];

const elsewhere: LbCase[] = [
  tcpTo('a known flow stays where it is', 'ACK', 2, {
    connection: known(2),
    after: 2,
    steps: ['CONNECTION_FOUND'],
  }),
  tcpTo('an RST of a known flow goes with it', 'RST', 2, {
    connection: known(2),
    after: 2,
    steps: ['CONNECTION_FOUND'],
  }),
  tcpTo('a SYN is picked anew, and the flow elsewhere forgotten', 'SYN', 1, {
    connection: known(2),
    after: undefined,
    steps: ['BY_TABLE'],
  }),
  tcpTo('a SYN to the same target leaves the flow known', 'SYN', 1, {
    connection: known(1),
    after: 1,
    steps: ['BY_TABLE'],
  }),
  tcpTo('a SYN to the same slot of another generation forgets', 'SYN', 1, {
    connection: known(1, 3, true),
    after: undefined,
    steps: ['BY_TABLE'],
  }),
];

const lost: LbCase[] = [
  tcpTo('the target is gone, the server says reset', 'ACK', 1, {
    connection: known(8),
    after: 1,
    steps: ['CONNECTION_LOST', 'BY_TABLE', 'CONNECTION_WRITTEN'],
  }),
  tcpTo('an RST of a lost flow is not remembered', 'RST', 1, {
    connection: known(8),
    after: 8,
    steps: ['CONNECTION_LOST', 'BY_TABLE'],
  }),
  tcpTo('the slot has another target', 'ACK', 1, {
    connection: known(2, 3, true),
    after: 1,
    steps: ['CONNECTION_LOST', 'CONNECTION_WRITTEN'],
  }),
  tcpTo('idle for more than 2 h', 'ACK', 1, {
    connection: known(2, 7201),
    after: 1,
    steps: ['BY_TABLE', 'CONNECTION_WRITTEN'],
  }),
  tcpTo('idle for almost 2 h', 'ACK', 2, {
    connection: known(2, 7100),
    after: 2,
    steps: ['CONNECTION_FOUND'],
  }),
];

/** VIP 6, port 80: `lost: leave`. */
const left = (what: string, otherGeneration: boolean): LbCase => {
  const port = portTo(18, 'tcp', vip(6), 80);
  const key = flow('tcp', port, vip(6), 80);
  const [slot, target] = otherGeneration ? [18, vm(34)] : [8, vm(9)];
  const layer = (to: number) => tcp(port, to, filler(3), { flags: FLAGS.ACK });
  return into(
    what,
    ipv4(CLIENT, vip(6), layer(80)),
    ipv4(CLIENT, target, layer(slot === 8 ? 8080 : 80), { ttl: 63 }),
    target,
    {
      server: serverAt(vip(6), 'tcp', 80),
      target: slot,
      connections: { [key]: known(8, 3, otherGeneration) },
      flows: { [key]: slot },
      steps: [otherGeneration ? 'CONNECTION_LOST' : 'CONNECTION_FOUND'],
    },
  );
};

/** VIP 5, port 53 has targets 15 (port 5353) and 16; the table says 15. */
const UDP_PORT = portTo(15, 'udp', vip(5), 53);
const UDP_FLOW = flow('udp', UDP_PORT, vip(5), 53);
const udpTo = (what: string, slot: number, seconds: number | undefined): LbCase => {
  const isKnown = slot === 16;
  return into(
    what,
    ipv4(CLIENT, vip(5), udp(UDP_PORT, 53)),
    ipv4(CLIENT, vm(slot + 15), udp(UDP_PORT, isKnown ? 53 : 5353), { ttl: 63 }),
    vm(slot + 15),
    {
      server: serverAt(vip(5), 'udp', 53),
      target: slot,
      opens: isKnown ? 0 : 1,
      ...(seconds !== undefined && { connections: { [UDP_FLOW]: known(16, seconds) } }),
      flows: { [UDP_FLOW]: slot },
      steps: [isKnown ? 'CONNECTION_FOUND' : 'CONNECTION_WRITTEN'],
    },
  );
};

export const connectionCases: LbCase[] = [
  ...unknown,
  ...elsewhere,
  ...lost,
  left('the target is gone, the server says leave', false),
  left('the slot of a flow that was left has another target', true),
  udpTo('UDP is remembered by its first packet', 15, undefined),
  udpTo('UDP that is known stays', 16, 50),
  udpTo('UDP after 60 s is new', 15, 61),
];
