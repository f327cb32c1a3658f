// The ways on which queries come: UDP threads, and TCP, TLS and HTTPS in the main thread with the
// one responder that they share.
import type { Clock } from '../shared/clock.ts';
import type { Random } from '../shared/random.ts';
import type { Counters } from './answer/counters.ts';
import { QuerySampler } from './answer/query-sample.ts';
import { AnswerResponder } from './answer/responder.ts';
import type { ServingState } from './answer/types.ts';
import type { UnknownClients } from './answer/unknown-clients.ts';
import type { DnsConfig } from './config.ts';
import type { QueryLog } from './query-log/query-log.ts';
import { HttpsServer } from './transports/https.ts';
import type { TlsFiles } from './transports/listening.ts';
import { StreamServer } from './transports/stream-server.ts';
import type { Referred, Transport } from './transports/types.ts';
import { UdpWorkers } from './transports/udp-workers.ts';

export type WaysInOptions = {
  config: DnsConfig;
  first: ServingState;
  referred: Referred;
  tls: () => TlsFiles;
  clock: Clock;
  random: Random;
  onException: (text: string) => void;
  queryLog: QueryLog;
  onFatal: (error: unknown) => void;
};

export class WaysIn {
  readonly responder: AnswerResponder;
  readonly udp: UdpWorkers;
  readonly tcp: StreamServer;
  readonly tls: StreamServer | undefined;
  readonly https: HttpsServer | undefined;
  readonly queryLog: QueryLog;

  constructor(options: WaysInOptions) {
    const { config, first, referred, tls, clock, random, onException, onFatal } = options;
    const { queryLog } = options;
    const seed = random.integer(0x1_0000_0000);
    const onQueries: QueryLog['take'] = (...told) => queryLog.take(...told);
    this.queryLog = queryLog;
    const keepaliveMs = config.tcp.idle;
    this.responder = new AnswerResponder(first, {
      keepaliveMs,
      seed,
      onException: (error) => onException(error instanceof Error ? `${error.stack}` : `${error}`),
      sampler: new QuerySampler({
        batch: 1,
        take: (...told) => {
          onQueries(...told);
          return true;
        },
        seed,
      }),
    });
    const { responder } = this;
    const { listen, workers } = config;
    this.udp = new UdpWorkers({
      listen,
      workers,
      keepaliveMs,
      referred,
      onFatal,
      onException,
      onQueries,
      clock,
    });
    const shared = { limits: config.tcp, responder, referred, clock };
    this.tcp = new StreamServer({ ...shared, kind: 'tcp', listen });
    const secure = config.tls.listen;
    if (secure.length > 0) {
      this.tls = new StreamServer({ ...shared, kind: 'tls', listen: secure, tls });
    }
    const { https } = config;
    if (https.listen.length > 0) this.https = new HttpsServer({ ...shared, ...https, tls });
  }

  get transports(): Transport[] {
    return [this.udp, this.tcp, this.tls, this.https].filter((each) => each !== undefined);
  }

  adopt(state: ServingState): void {
    this.responder.adopt(state);
  }

  /** Of all threads. */
  get counters(): Counters[] {
    return [this.responder.counters, ...this.udp.counters];
  }

  get unknownClients(): UnknownClients[] {
    return [this.responder.unknownClients, ...this.udp.unknownClients];
  }

  reloadCertificates(): void {
    this.tls?.reloadCertificate();
    this.https?.reloadCertificate();
  }

  /** Queries and records of the query log that were lost, and connections closed, by why. */
  dropped(): [reason: string, count: number][] {
    const { truncated, sendFailed, referredDropped, overflowed } = this.udp.counts;
    const udp = {
      truncated,
      'send-failed': sendFailed,
      'referred-full': referredDropped,
      overflowed,
    };
    const rows = Object.entries(udp).map(([why, count]) => [`udp-${why}`, count] as const);
    const streams = [this.tcp, this.tls].flatMap((server) => {
      const kind = server === this.tcp ? 'tcp' : 'tls';
      return Object.entries(server?.counts ?? {})
        .filter(([why]) => why !== 'accepted' && why !== 'client')
        .map(([why, count]) => [`${kind}-${why}`, count] as const);
    });
    const refused = this.https?.counts;
    const https = refused === undefined ? [] : ([['https-refused', refused.refused]] as const);
    const log = [['query-log', this.queryLog.dropped]] as const;
    return [...rows, ...streams, ...https, ...log].map(([why, count]) => [why, count]);
  }

  /** Open now. */
  connections(): Record<string, number> {
    return {
      tcp: this.tcp.connections,
      tls: this.tls?.connections ?? 0,
      https: this.https?.connections ?? 0,
    };
  }
}
