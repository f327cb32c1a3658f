// A DhcpServer on a book in memory, with a clock that a test moves: packets in, packets out, and
// what was counted.
import type { Ingress, Link, Outgoing, Prober } from '../../../dhcpd/io/types.ts';
import type { Plan } from '../../../dhcpd/plan/types.ts';
import { DhcpServer } from '../../../dhcpd/server.ts';
import type { Members, ServerSettings } from '../../../dhcpd/server-types.ts';
import { parseReply, type ServerMessage } from '../../../dhcpd/wire/parse.ts';
import { ManualClock } from '../../../shared/clock.ts';
import { formatIpv4, type Ipv4, ipv4FromBytes } from '../../../shared/net/ipv4.ts';
import { MemoryBook, type MemoryLeases } from './memory-book.ts';
import { ip, type PlanFields, prefixOf, simplePlan } from './simple-plan.ts';

export const SERVER = '10.0.0.1';
export const LINK: Link = {
  name: 'lan0',
  mac: Uint8Array.of(2, 0, 0, 0, 0, 0xfe),
  addresses: [{ family: 4, address: ip(SERVER), bits: 24 }],
};

export const SETTINGS: ServerSettings = {
  node: 'dhcpd-1',
  serverId: ip(SERVER),
  siblingIds: [ip('10.0.0.2')],
  strict: true,
  trustedLinks: [],
  offerSeconds: 20,
  declineSeconds: 86_400,
  cacheShare: 0.25,
  staleAfterMs: 4000,
  maxPending: 100,
  limits: { perRelay: 0, perClient: 0, declinesPerRelay: 0 },
  sharedLan: 'bucket',
};

export type RigOptions = {
  plan: PlanFields;
  /** `serverId` undefined: none. */
  settings?: Partial<Omit<ServerSettings, 'serverId'>> & { serverId?: Ipv4 | undefined };
  leases?: MemoryLeases;
  members?: Members;
  prober?: Prober;
  clock?: ManualClock;
};

/** What a reply says, as a test compares it. */
export type Answer = {
  type: number;
  yiaddr: string;
  packet: Outgoing;
  message: ServerMessage;
};

export class Rig {
  readonly clock: ManualClock;
  readonly book: MemoryBook;
  readonly server: DhcpServer;
  readonly sent: Outgoing[] = [];
  readonly counted: string[] = [];
  readonly notices: string[] = [];
  plan: Plan;

  constructor(options: RigOptions) {
    this.clock = options.clock ?? new ManualClock();
    this.plan = simplePlan(options.plan);
    const { leases } = options;
    this.book = new MemoryBook({ clock: this.clock, ...(leases ? { leases } : {}) });
    const members = options.members ?? { names: ['dhcpd-1'], own: 'dhcpd-1' };
    this.server = new DhcpServer({
      settings: settingsOf(options),
      plan: () => this.plan,
      book: this.book,
      transport: { send: (packet) => this.sent.push(packet) },
      ...(options.prober ? { prober: options.prober } : {}),
      clock: this.clock,
      members: () => members,
      count: (reason) => this.counted.push(reason),
      notice: (event) => this.notices.push(event),
    });
  }

  /** One message in, all that came of it out. */
  async ask(bytes: Uint8Array, from?: From): Promise<Answer | undefined> {
    const before = this.sent.length;
    this.send(bytes, from);
    await this.server.idle();
    if (this.sent.length > before + 1) throw new Error('more than one reply');
    const packet = this.sent[before];
    return packet === undefined ? undefined : answerOf(packet);
  }

  send(bytes: Uint8Array, from: From = ON_LINK): void {
    this.server.receive(bytes, { receivedMs: this.clock.monotonicMs(), ...from });
  }

  get reason(): string | undefined {
    return this.counted.at(-1);
  }

  /** `10.0.0.10`: what the book has of the address. */
  record(address: string) {
    return this.book.get(ip(address));
  }
}

function settingsOf({ settings = {} }: RigOptions): ServerSettings {
  const { serverId = SETTINGS.serverId, ...others } = settings;
  const { serverId: _, ...rest } = { ...SETTINGS, ...others };
  const hasNone = 'serverId' in settings && settings.serverId === undefined;
  return hasNone || serverId === undefined ? rest : { ...rest, serverId };
}

/** Received now, unless it says otherwise. */
export type From = Omit<Ingress, 'receivedMs'> & { receivedMs?: number };

/** A broadcast on the link. */
export const ON_LINK: From = {
  link: LINK,
  source: ip('0.0.0.0'),
  sourcePort: 68,
  destination: ip('255.255.255.255'),
};

/** Sent to the server itself from an address on its link. */
export function unicast(source: string): From {
  return { ...ON_LINK, source: ip(source), destination: ip(SERVER) };
}

/** By a socket: from a relay, or through a router. */
export function routed(source: string, sourcePort = 67): From {
  return { source: ip(source), sourcePort, destination: ip(SERVER) };
}

export function answerOf(packet: Outgoing): Answer {
  const message = parseReply(packet.bytes);
  if (typeof message === 'string') throw new Error(`a reply that is ${message}`);
  return { type: message.messageType, yiaddr: formatIpv4(message.yiaddr), packet, message };
}

export function addressOf(answer: Answer | undefined, code: number): string | undefined {
  const bytes = answer?.message.options.get(code);
  return bytes === undefined ? undefined : formatIpv4(ipv4FromBytes(bytes));
}

export function secondsOf(answer: Answer | undefined, code: number): number | undefined {
  const bytes = answer?.message.options.get(code);
  return bytes === undefined ? undefined : (ipv4FromBytes(bytes) as Ipv4);
}

export const LAN: PlanFields = {
  subnets: [{ prefix: '10.0.0.0/24', pools: ['10.0.0.10-10.0.0.20'] }],
};
export { ip, prefixOf };
