// One row of the packet table, and the short ways to write one.
import type {
  Environment,
  FragmentRecord,
  Metered,
  Program,
  Reason,
  Step,
  Verdict,
} from '../../../natter/mapping.ts';
import { address, describeFrame } from '../packet.ts';
import { arriving, CLIENT, eip, LINK_OF, type LinkName, leaving } from './site.ts';

export interface NatterCase {
  what: string;
  program: Program;
  link: LinkName;
  frame: Uint8Array;
  isHost: boolean;
  hostMade: boolean; // egress: nothing came in, the host made it
  translated: boolean; // egress: marked by an ingress program
  segments?: NonNullable<Environment['segments']>;
  fragments: FragmentRecord[]; // known before; expiresNs counts from now
  reason: Reason | undefined; // undefined: left alone at egress
  verdict: Verdict;
  out: Uint8Array;
  steps: Step[]; // must have been taken; others may have been
  metered: Metered[];
  recorded: FragmentRecord[]; // expiresNs counts from now
}

type Given = Partial<Omit<NatterCase, 'what' | 'program' | 'frame' | 'reason' | 'out'>>;

/** The packet as a function of who sends it to whom, so that before and after are built alike. */
export type Build = (source: string, destination: string, ttl: number) => Uint8Array;

const VERDICTS: Partial<Record<Reason, Verdict>> = {
  IN_REDIRECTED: 'redirect',
  OUT_REDIRECTED: 'redirect',
  HAIRPIN_REDIRECTED: 'redirect',
};

export function row(
  what: string,
  program: Program,
  frame: Uint8Array,
  reason: Reason | undefined,
  out: Uint8Array = frame,
  given: Given = {},
): NatterCase {
  const isDrop = reason?.startsWith('DROP_') ?? false;
  return {
    what,
    program,
    link: LINK_OF[program],
    frame,
    isHost: true,
    hostMade: false,
    translated: false,
    fragments: [],
    reason,
    verdict: (reason && VERDICTS[reason]) ?? (isDrop ? 'drop' : 'pass'),
    out,
    steps: [],
    metered: [],
    recorded: [],
    ...given,
  };
}

/** What a meter counts of one packet. */
export const meterOf = (slot: number, direction: 'in' | 'out', frame: Uint8Array): Metered => ({
  slot,
  direction,
  packets: 1,
  bytes: frame.length,
});

/** An inbound packet for EIP `host`, with its translation and the neighbour it goes to. */
export function inbound(
  what: string,
  host: number,
  packet: Uint8Array,
  after: Uint8Array,
  hop: string,
  given: Given = {},
): NatterCase {
  const frame = arriving('uplink', packet);
  const metered = [meterOf(host, 'in', frame)];
  const out = leaving(hop, after);
  return row(what, 'natter_uplink', frame, 'IN_REDIRECTED', out, { metered, ...given });
}

/** Inbound, translated and left to the stack: nothing but the translation is changed. */
export function inboundToStack(
  what: string,
  host: number,
  packet: Uint8Array,
  after: Uint8Array,
  given: Given = {},
): NatterCase {
  const frame = arriving('uplink', packet);
  const metered = [meterOf(host, 'in', frame)];
  const out = arriving('uplink', after);
  return row(what, 'natter_uplink', frame, 'IN_TO_STACK', out, { metered, ...given });
}

export function outbound(
  what: string,
  host: number,
  packet: Uint8Array,
  after: Uint8Array,
  given: Given = {},
): NatterCase {
  const frame = arriving('inside', packet);
  const metered = [meterOf(host, 'out', frame)];
  const out = leaving('192.0.2.1', after);
  return row(what, 'natter_inside', frame, 'OUT_REDIRECTED', out, { metered, ...given });
}

export function atEgress(
  what: string,
  host: number,
  packet: Uint8Array,
  after: Uint8Array,
  given: Given = {},
): NatterCase {
  const frame = leaving('192.0.2.1', packet);
  const metered = [meterOf(host, 'out', frame)];
  const out = leaving('192.0.2.1', after);
  return row(what, 'natter_egress', frame, 'OUT_AT_EGRESS', out, { metered, ...given });
}

export function hairpin(
  what: string,
  hosts: { from: number; to: number },
  packet: Uint8Array,
  after: Uint8Array,
  hop: string,
  given: Given = {},
): NatterCase {
  const frame = arriving('inside', packet);
  const metered = [meterOf(hosts.from, 'out', frame), meterOf(hosts.to, 'in', frame)];
  const out = leaving(hop, after);
  return row(what, 'natter_inside', frame, 'HAIRPIN_REDIRECTED', out, { metered, ...given });
}

/** A packet that one of the programs drops or passes as it is. */
export function alone(
  what: string,
  program: Program,
  packet: Uint8Array,
  reason: Reason | undefined,
  given: Given = {},
): NatterCase {
  const link = given.link ?? LINK_OF[program];
  const frame = program === 'natter_egress' ? leaving('192.0.2.1', packet) : arriving(link, packet);
  return row(what, program, frame, reason, frame, given);
}

/**
 * The same packet through every program that translates it 1:1: EIPs 5 and 6, and 40 at one arm.
 */
export function everyWay(what: string, build: Build): NatterCase[] {
  const [e5, e6, p5, p6] = [eip(5), eip(6), '10.0.0.5', '10.0.0.6'];
  const onearm = arriving('onearm', build('203.0.114.5', eip(40), 64));
  const onearmOut = leaving('10.0.7.5', build('203.0.114.5', '10.0.7.5', 63));
  return [
    inbound(`${what}: in`, 5, build(CLIENT, e5, 64), build(CLIENT, p5, 63), p5),
    outbound(`${what}: out`, 5, build(p5, CLIENT, 64), build(e5, CLIENT, 63)),
    hairpin(`${what}: hairpin`, { from: 5, to: 6 }, build(p5, e6, 64), build(e5, p6, 63), p6),
    atEgress(`${what}: egress`, 5, build(p5, CLIENT, 9), build(e5, CLIENT, 9)),
    row(`${what}: one arm in`, 'natter_onearm', onearm, 'IN_REDIRECTED', onearmOut, {
      metered: [meterOf(40, 'in', onearm)],
    }),
  ];
}

/** A fragment on record for `seconds` from now. */
export function known(
  source: string,
  destination: string,
  protocol: number,
  outbound_: boolean,
  to: string,
  slot: number,
  seconds = 2,
): FragmentRecord {
  return {
    source: address(source),
    destination: address(destination),
    id: 0x1d1d,
    protocol,
    outbound: outbound_,
    address: address(to),
    slot,
    expiresNs: seconds * 1e9,
  };
}

export function describeCase({ what, program, frame }: NatterCase): string {
  return `${what} (${program})\n${describeFrame(frame)}`;
}
