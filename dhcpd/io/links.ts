// The links that are served directly: opened when they are there and up, closed when not, and
// opened again; messages of clients taken from their frames, replies sent as frames.

import type { Clock } from '../../shared/clock.ts';
import { describeError, OperationalError } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import { type Ipv4, ipv4 } from '../../shared/net/ipv4.ts';
import { formatMac, macFromBytes } from '../../shared/net/mac.ts';
import { type Ipv4Prefix, lastAddress } from '../../shared/net/prefix.ts';
import { readArpReply } from './arp.ts';
import type { Capture, OpenCapture } from './capture.ts';
import type { IoEvent } from './events.ts';
import { buildFrame, type Datagram, readFrame } from './frames.ts';
import type { Interface, Interfaces } from './interfaces.ts';
import type { Ingress, Link, Outgoing } from './types.ts';

const SERVER_PORT = 67;
const CLIENT_PORT = 68;
/** Of the kernel's memory; a frame takes up to 64 KB of it: 500 clients may start at once. */
const RING_BYTES = 32 * 1024 * 1024;
/** A link of a pattern has one client. */
const SMALL_RING_BYTES = 512 * 1024;
const EVERYBODY = ipv4(0xffffffff);

export type LinksOptions = {
  /** One that ends in `*` means every link that begins so; none is missed. */
  names: readonly string[];
  /** Messages that came through a relay are taken from frames, too; else UDP has them. */
  takesRelayed: boolean;
  /** Addresses that are ours without being any interface's. */
  ownAddresses: readonly Ipv4[];
  interfaces: Interfaces;
  openCapture: OpenCapture;
  clock: Clock;
  log: Log<IoEvent>;
  onMessage: (bytes: Uint8Array, ingress: Ingress) => void;
  /** What a server says to a client: ours do not come here. `payload` is lent. */
  onServerMessage: (link: Link, payload: Uint8Array, source: Datagram) => void;
  onArpReply: (link: string, address: Ipv4, mac: Uint8Array) => void;
  count: (reason: string) => void;
};

export type LinkState = { name: string; link?: Link; index?: number; problem?: string };

type Open = { link: Link; index: number; capture: Capture };

export class Links {
  readonly #options: LinksOptions;
  readonly #open = new Map<string, Open>();
  readonly #problems = new Map<string, string>();
  #captured: ReadonlySet<number> = new Set();
  #local: ReadonlySet<Ipv4> = new Set();
  #looking: Promise<void> = Promise.resolve();

  constructor(options: LinksOptions) {
    this.#options = options;
  }

  get states(): LinkState[] {
    return [...new Set([...this.#named, ...this.#open.keys()])].map((name) => {
      const open = this.#open.get(name);
      const problem = this.#problems.get(name);
      return {
        name,
        ...(open === undefined ? {} : { link: open.link, index: open.index }),
        ...(problem === undefined ? {} : { problem }),
      };
    });
  }

  /** Interface numbers. */
  get captured(): ReadonlySet<number> {
    return this.#captured;
  }

  link(name: string): Link | undefined {
    return this.#open.get(name)?.link;
  }

  /** Any address of this machine, and the server identifier. */
  isLocal(address: Ipv4): boolean {
    return this.#local.has(address) || this.#options.ownAddresses.includes(address);
  }

  /**
   * Makes the captures fit the interfaces. What was down meanwhile has to be opened again though it
   * is up now. One at a time.
   */
  look(wentDown: ReadonlySet<string> = new Set()): Promise<void> {
    this.#looking = this.#looking.then(() => this.#lookOnce(wentDown));
    return this.#looking;
  }

  /** By the frame's link; EDGE_DHCPD_CAPTURE is counted, for the client asks again. */
  send(reply: Outgoing & { by: 'link' }): void {
    const open = this.#open.get(reply.link);
    if (open === undefined) {
      this.#options.count('send-failed');
      return;
    }
    const frame = buildFrame({
      sourceMac: open.link.mac,
      destinationMac: reply.mac,
      source: reply.source,
      destination: reply.address,
      sourcePort: SERVER_PORT,
      destinationPort: reply.port,
      payload: reply.bytes,
    });
    this.sendFrame(reply.link, frame);
  }

  sendFrame(link: string, frame: Uint8Array): void {
    try {
      this.#open.get(link)?.capture.send(frame);
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      this.#options.count('send-failed');
      this.#options.log.debug('link-send-failed', describeError(error), { link, error });
    }
  }

  /** A frame as a client would send it, through the reading of frames: for the canary. */
  inject(link: string, frame: Uint8Array): void {
    this.#frame(link, frame);
  }

  close(): void {
    for (const name of this.#open.keys()) this.#close(name);
  }

  async #lookOnce(wentDown: ReadonlySet<string>): Promise<void> {
    const { interfaces, log } = this.#options;
    let found: Interface[];
    try {
      found = await interfaces.list();
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      log.warn('interfaces-unread', describeError(error), { error });
      return;
    }
    this.#local = new Set(found.flatMap(({ addresses }) => addresses.map((one) => one.address)));
    const byName = new Map(found.map((each) => [each.name, each]));
    const wanted = new Set([
      ...this.#named,
      ...[...byName.keys()].filter((name) => this.#means(name)),
    ]);
    for (const name of this.#open.keys()) if (!wanted.has(name)) this.#close(name);
    for (const name of wanted) this.#fit(name, byName.get(name), wentDown.has(name));
    this.#captured = new Set([...this.#open.values()].map(({ index }) => index));
  }

  #fit(name: string, found: Interface | undefined, wasDown: boolean): void {
    const open = this.#open.get(name);
    const problem = problemOf(found);
    if (found?.mac === undefined || problem !== undefined) {
      this.#close(name);
      this.#miss(name, problem ?? 'it is no Ethernet link');
      return;
    }
    const link: Link = { name, mac: found.mac, addresses: found.addresses };
    const isSame = open?.index === found.index && isEqual(open.link.mac, found.mac);
    if (open !== undefined && isSame && !wasDown) {
      open.link = link;
      return;
    }
    this.#close(name);
    this.#openLink(link, found.index);
  }

  #openLink(link: Link, index: number): void {
    const { log, openCapture, takesRelayed } = this.#options;
    const { name } = link;
    try {
      const filter = filterOf(link.mac, takesRelayed);
      const ringBytes = this.#named.includes(name) ? RING_BYTES : SMALL_RING_BYTES;
      const capture = openCapture(name, filter, ringBytes, (frame) => this.#frame(name, frame));
      this.#open.set(name, { link, index, capture });
      this.#problems.delete(name);
      log.info('link-opened', `serving ${name}`, { link: name });
    } catch (error) {
      if (!(error instanceof OperationalError) || error.exitCode === 77) throw error;
      this.#miss(name, describeError(error));
    }
  }

  get #named(): string[] {
    return this.#options.names.filter((name) => !name.endsWith('*'));
  }

  #means(found: string): boolean {
    return this.#options.names.some((name) => {
      return name.endsWith('*') && found.startsWith(name.slice(0, -1));
    });
  }

  #miss(name: string, problem: string): void {
    if (!this.#named.includes(name)) return; // it comes and goes
    if (this.#problems.get(name) === problem) return;
    this.#problems.set(name, problem);
    this.#options.log.warn('link-missing', `${name}: ${problem}`, { link: name, problem });
  }

  #close(name: string): void {
    this.#open.get(name)?.capture.close();
    this.#open.delete(name);
  }

  #frame(name: string, frame: Uint8Array): void {
    const open = this.#open.get(name);
    if (open === undefined) return;
    const { onArpReply, onServerMessage, count } = this.#options;
    const arp = readArpReply(frame);
    if (arp !== undefined) {
      onArpReply(name, arp.address, arp.mac);
      return;
    }
    const datagram = readFrame(frame);
    if (typeof datagram === 'string') {
      count(datagram);
      return;
    }
    if (datagram.destinationPort === CLIENT_PORT) {
      onServerMessage(open.link, datagram.payload, datagram);
      return;
    }
    if (datagram.destinationPort === SERVER_PORT) this.#message(open, datagram);
  }

  #message({ link }: Open, datagram: Datagram): void {
    const { destination, source, sourcePort, payload } = datagram;
    const { onMessage, count, clock } = this.#options;
    const isOurs =
      destination === EVERYBODY || this.isLocal(destination) || isBroadcast(link, destination);
    // This machine may also be a router that it passes, on its way to another server.
    if (!isOurs) {
      count('not-for-us');
      return;
    }
    const receivedMs = clock.monotonicMs();
    onMessage(payload.slice(), { link, source, sourcePort, destination, receivedMs });
  }
}

function isBroadcast({ addresses }: Link, destination: Ipv4): boolean {
  return addresses.some((own: Ipv4Prefix) => own.bits < 31 && lastAddress(own) === destination);
}

function problemOf(found: Interface | undefined): string | undefined {
  if (found === undefined) return 'it is not there';
  if (!found.up) return 'it is down';
  return found.mac === undefined ? 'it is no Ethernet link' : undefined;
}

/**
 * In the kernel, on what it saw before it took a VLAN tag out: so the reading of frames looks
 * again. At udp[32:4] stands giaddr. ARP replies are the prober's.
 */
export function filterOf(macBytes: Uint8Array, takesRelayed: boolean): string {
  const mac = formatMac(macFromBytes(macBytes));
  const requests = takesRelayed ? 'udp dst port 67' : '(udp dst port 67 and udp[32:4] = 0)';
  const wanted = `${requests} or udp dst port 68 or (arp[6:2] = 2)`;
  return `(ether dst ${mac} or ether broadcast) and not ether src ${mac} and (${wanted})`;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
