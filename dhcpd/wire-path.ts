// The ways in and out together: links by capture, sockets, the prober, and the canary's own way.

import type { BatchCounts } from '../shared/bpf/udp-batch.ts';
import { type Clock, every } from '../shared/clock.ts';
import { describeError } from '../shared/errors.ts';
import type { Echo } from '../shared/health/icmp.ts';
import type { Log } from '../shared/log.ts';
import { formatIpv4, ipv4 } from '../shared/net/ipv4.ts';
import { formatMac, macFromBytes } from '../shared/net/mac.ts';
import type { DhcpdConfig } from './config.ts';
import { Counters } from './counters.ts';
import type { DhcpdEvent } from './events.ts';
import type { OpenCapture } from './io/capture.ts';
import { answeringServer } from './io/foreign.ts';
import { BROADCAST_MAC, buildFrame, type Datagram } from './io/frames.ts';
import type { Interfaces } from './io/interfaces.ts';
import { Links } from './io/links.ts';
import { LinkProber } from './io/prober.ts';
import { Pulse } from './io/pulse.ts';
import type { Ingress, Link, Outgoing, Transport } from './io/types.ts';
import { coversEveryLink, UdpTransport } from './io/udp.ts';

/** How often it is seen that the process lives. */
const BEAT_MS = 100;
const EVERYWHERE = { source: ipv4(0), destination: ipv4(0xffffffff) };

export type WirePathOptions = {
  config: DhcpdConfig;
  interfaces: Interfaces;
  openCapture: OpenCapture;
  openEcho: () => Echo;
  clock: Clock;
  log: Log<DhcpdEvent>;
  receive: (bytes: Uint8Array, ingress: Ingress) => void;
  /** The canary's replies do not leave. */
  isKept: (bytes: Uint8Array) => boolean;
  fail: (error: unknown) => void;
};

export class WirePath implements Transport {
  readonly links: Links;
  readonly prober: LinkProber;
  readonly probes = new Counters();
  readonly #dropped = new Counters();
  readonly #options: WirePathOptions;
  #pulse: Pulse;
  readonly #closing = new AbortController();
  #foreign = 0;
  #udp: UdpTransport | undefined;
  #echo: Echo | undefined;

  constructor(options: WirePathOptions) {
    const { config, clock, log } = options;
    this.#options = options;
    this.#pulse = new Pulse(clock.monotonicMs());
    this.links = new Links({
      ...options,
      names: config.links,
      takesRelayed: !coversEveryLink(config.relayed.listen),
      ownAddresses: config.serverId === undefined ? [] : [config.serverId],
      log,
      onMessage: this.#receive,
      onServerMessage: (link, payload, datagram) => this.#heard(link, payload, datagram),
      onArpReply: (link, address) => this.prober.arpReply(link, address),
      count: this.#dropped.add,
    });
    const { timeout, cache, arp, ping, maxPerSecond } = config.probe;
    this.prober = new LinkProber({
      timeoutMs: timeout,
      cacheMs: cache,
      maxPerSecond,
      arp,
      ping: ping ? async (address, timeoutMs) => this.#ping(address, timeoutMs) : undefined,
      link: (name) => this.links.link(name),
      sendFrame: (link, frame) => this.links.sendFrame(link, frame),
      clock,
      onProbed: this.probes.add,
    });
  }

  /** Links first, so that what belongs to them is not taken by a socket. */
  async open(): Promise<void> {
    const { config, clock, fail, log, openEcho } = this.#options;
    this.#pulse = new Pulse(clock.monotonicMs()); // what was before it is no gap
    const beat = () => this.#pulse.beat(clock.monotonicMs());
    every(clock, BEAT_MS, beat, this.#closing.signal);
    await this.links.look();
    this.#udp = new UdpTransport({
      listen: config.relayed.listen,
      hasLinks: config.links.length > 0,
      capturedInterfaces: () => this.links.captured,
      clock,
      onMessage: this.#receive,
      onCaptured: () => this.#dropped.add('left-to-capture'),
      onError(error) {
        log.error('receive-failed', describeError(error), { error });
        fail(error);
      },
    });
    if (config.probe.ping) this.#echo = openEcho();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.links.close();
    this.#echo?.close();
    await this.#udp?.close();
  }

  get udpCounts(): Readonly<BatchCounts> | undefined {
    return this.#udp?.counts;
  }

  get foreignAnswers(): number {
    return this.#foreign;
  }

  /** By why. `left-to-capture` is no loss: the capture of the link has it. */
  dropped(): [reason: string, count: number][] {
    const udp = this.#udp?.counts;
    return [
      ...this.#dropped.entries(),
      ['udp-overflow', udp?.overflowed ?? 0],
      ['udp-too-long', udp?.truncated ?? 0],
      ['udp-send-failed', udp?.sendFailed ?? 0],
      ['udp-source-refused', udp?.sourceRefused ?? 0],
    ];
  }

  send(reply: Outgoing): void {
    if (this.#options.isKept(reply.bytes)) return;
    if (reply.by === 'link') this.links.send(reply);
    else this.#udp?.send(reply);
  }

  /** A message to ourselves: by our own socket if there is one, else as a frame of a link. */
  sendToSelf(bytes: Uint8Array, mac: Uint8Array): void {
    if (this.#udp?.sendToSelf(bytes) === true) return;
    const [link] = this.links.states.flatMap((state) => state.link ?? []);
    if (link === undefined) return;
    const frame = buildFrame({
      sourceMac: mac,
      destinationMac: BROADCAST_MAC,
      source: link.addresses[0]?.address ?? EVERYWHERE.source,
      destination: EVERYWHERE.destination,
      sourcePort: 67,
      destinationPort: 67,
      payload: bytes,
    });
    this.links.inject(link.name, frame);
  }

  readonly #receive = (bytes: Uint8Array, ingress: Ingress): void => {
    const read = this.#pulse.read(ingress.receivedMs);
    this.#options.receive(bytes, read.isOld ? { ...ingress, ...read } : ingress);
  };

  async #ping(...args: Parameters<Echo['ping']>): Promise<boolean> {
    return (await this.#echo?.ping(...args)) ?? false;
  }

  #heard(link: Link, payload: Uint8Array, { source, sourceMac }: Datagram): void {
    const { config, log } = this.#options;
    const server = answeringServer(payload);
    if (server === undefined || this.links.isLocal(server)) return;
    if (server === config.serverId || config.siblingIds.includes(server)) return;
    this.#foreign++;
    const identifier = formatIpv4(server);
    const mac = formatMac(macFromBytes(sourceMac));
    const text = `${identifier} at ${mac} answers clients on ${link.name}`;
    const fields = { link: link.name, server: identifier, mac, source: formatIpv4(source) };
    log.warn('rogue-server', text, fields);
  }
}
