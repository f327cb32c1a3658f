// A name server for tests of transfers: a core that answers, a TransferServer behind it, and one
// port of loopback for UDP and TCP; its zones are texts that the test replaces.
import { createSocket, type Socket } from 'node:dgram';
import { createServer } from 'node:net';
import { AnswerResponder } from '../../../dns/answer/responder.ts';
import { type Exchange, REFERRED } from '../../../dns/answer/types.ts';
import { buildImage } from '../../../dns/image/build.ts';
import type { ZoneImage } from '../../../dns/image/types.ts';
import type { SmartAnswer } from '../../../dns/policy/types.ts';
import { noTransfers } from '../../../dns/transfer/counts.ts';
import { Journal } from '../../../dns/transfer/journal.ts';
import { TransferServer } from '../../../dns/transfer/server.ts';
import type { Primary, TransferPolicy, TransferZone } from '../../../dns/transfer/types.ts';
import { addressBytes } from '../../../dns/transports/addresses.ts';
import { StreamServer } from '../../../dns/transports/stream-server.ts';
import type { TsigKey } from '../../../dns/tsig/tsig.ts';
import { systemClock } from '../../../shared/clock.ts';
import type { RecordList } from '../../../shared/dns/zone/record-list.ts';
import { parsePrefix } from '../../../shared/net/prefix.ts';
import { imageOf, nameOf, stateOf } from './resolve-rig.ts';

export type Heard = { zone: string; primary: Primary; serial: number | undefined };

export function policyOf(
  prefixes: readonly string[],
  keys: readonly string[] = [],
): TransferPolicy {
  const parsed = prefixes.map((text) => {
    const prefix = parsePrefix(text);
    if (prefix === undefined) throw new Error(`no prefix: ${text}`);
    return prefix;
  });
  return { prefixes: parsed, keys };
}

export const EVERYBODY = policyOf(['0.0.0.0/0', '::/0']);

/** Not on the network yet: `referred` is what transports call. */
export class TransferRig {
  readonly zones = new Map<string, TransferZone>();
  readonly keys = new Map<string, TsigKey>();
  readonly journal = new Journal();
  readonly counts = noTransfers();
  readonly heard: Heard[] = [];
  readonly exceptions: unknown[] = [];
  readonly responder: AnswerResponder;
  readonly server: TransferServer;
  #onHeard: (heard: Heard) => void = () => {};

  constructor() {
    this.responder = new AnswerResponder(stateOf([]), { keepaliveMs: 10_000, seed: 1 });
    this.server = new TransferServer({
      zoneOf: (zone) => this.zones.get(zone),
      keys: this.keys,
      journal: this.journal,
      responder: this.responder,
      onNotify: (zone, primary, serial) => {
        this.heard.push({ zone, primary, serial });
        this.#onHeard({ zone, primary, serial });
      },
      onException: (error) => this.exceptions.push(error),
      counts: this.counts,
      nowSeconds: () => Math.floor(systemClock.nowMs() / 1000),
    });
  }

  whenHeard(tell: (heard: Heard) => void): void {
    this.#onHeard = tell;
  }

  /** Serves a version, in place of the one before. */
  put(zone: string, image: ZoneImage | undefined, rest: Partial<TransferZone> = {}): void {
    const before = this.zones.get(zone);
    const smart: readonly SmartAnswer[] = [];
    const first = { origin: nameOf(zone), smart, policy: EVERYBODY, primaries: [] };
    this.zones.set(zone, { ...first, ...before, ...rest, image });
    if (before?.image !== undefined && image !== undefined) {
      this.journal.changed(zone, before.image, image);
    }
    const all = [...this.zones.values()];
    const images = all.flatMap(({ image: each }) => (each === undefined ? [] : [each]));
    this.responder.adopt(stateOf(images, all.find((each) => each.smart.length > 0)?.smart));
  }

  putText(zone: string, text: string, rest: Partial<TransferZone> = {}): void {
    this.put(zone, imageOf(zone, text), rest);
  }

  putRecords(zone: string, records: RecordList, rest: Partial<TransferZone> = {}): void {
    this.put(zone, buildImage({ origin: nameOf(zone), records, smart: [] }), rest);
  }

  /** All messages that answer one. */
  async ask(message: Uint8Array, exchange: Partial<Exchange> = {}): Promise<Uint8Array[]> {
    const asked: Exchange = { ...localExchange('tcp'), ...exchange };
    const answers: Uint8Array[] = [];
    for await (const answer of this.server.referred(message, asked)) answers.push(answer);
    return answers;
  }

  /** Listens on a free port of 127.0.0.1, with UDP and TCP. */
  async listen(): Promise<{ port: number; close: () => Promise<void> }> {
    const port = await freePort();
    const limits = { connections: 50, perClient: 50, idle: 10_000, message: 5000, pipelined: 10 };
    const stream = new StreamServer({
      kind: 'tcp',
      listen: [{ host: '127.0.0.1', port }],
      limits,
      responder: this.responder,
      referred: this.server.referred,
      clock: systemClock,
    });
    await stream.open();
    const socket = await this.#listenUdp(port);
    const close = async () => {
      socket.close();
      await stream.close();
    };
    return { port, close };
  }

  #listenUdp(port: number): Promise<Socket> {
    const socket = createSocket('udp4');
    const out = new Uint8Array(0xffff);
    socket.on('message', async (query, from) => {
      const client = { client: addressBytes(from.address), clientPort: from.port };
      const exchange = { ...localExchange('udp'), ...client };
      const length = this.responder.respond(query, query.length, exchange, out);
      if (length > 0) socket.send(out.slice(0, length), from.port, from.address);
      if (length !== REFERRED) return;
      const [answer] = await this.ask(query, exchange);
      if (answer !== undefined) socket.send(answer, from.port, from.address);
    });
    return new Promise((resolve) => socket.bind(port, '127.0.0.1', () => resolve(socket)));
  }
}

function localExchange(transport: 'udp' | 'tcp'): Exchange {
  const nowSeconds = Math.floor(systemClock.nowMs() / 1000);
  const client = Uint8Array.of(127, 0, 0, 1);
  return { transport, client, clientPort: 40_000, nowSeconds, nowMs: systemClock.monotonicMs() };
}

/** Of 127.0.0.1, free for TCP and most probably for UDP. */
export function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
