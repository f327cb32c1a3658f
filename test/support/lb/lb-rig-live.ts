// The site of edge-lb's live tests: three targets that weigh 1, 2 and 3, a server of gRPC's
// manners, listeners with and without TLS, and the lb before them.
import { once } from 'node:events';
import { createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { freePorts } from '../redis.ts';
import { LbRig } from './lb-rig.ts';
import { ownLoopback, startTargets, type TargetProcess } from './lb-rig-clients.ts';

type Ports = { plain: number; known: number; secure: number; rpc: number };
export type LiveSections = ReturnType<typeof sections>;

export class LiveSite {
  readonly lb: LbRig;
  readonly targets: readonly TargetProcess[];
  /** What is served, unless a test says otherwise. */
  sections: LiveSections;
  /** URLs without a path: HTTP/1.1, that or HTTP/2 with prior knowledge, TLS. */
  readonly plain: string;
  readonly known: string;
  readonly secure: string;
  readonly #rpc: Http2Server;

  private constructor(lb: LbRig, targets: readonly TargetProcess[], rpc: Http2Server, at: Ports) {
    this.lb = lb;
    this.targets = targets;
    this.#rpc = rpc;
    this.sections = sections(lb, targets, at);
    this.plain = `http://127.0.0.1:${at.plain}`;
    this.known = `http://127.0.0.1:${at.known}`;
    this.secure = `https://127.0.0.1:${at.secure}`;
  }

  /** Applied by edgectl, and in force. */
  static async up(): Promise<LiveSite> {
    ownLoopback();
    const [plain = 0, known = 0, secure = 0, target = 0] = await freePorts(4);
    const rpc = await startRpc();
    const targets = await startTargets(target);
    const lb = await LbRig.prepared();
    const { port } = rpc.address() as AddressInfo; // of a TCP server
    const site = new LiveSite(lb, targets, rpc, { plain, known, secure, rpc: port });
    await lb.start();
    const { code, err } = await lb.edgectl(['apply', '-f', '-'], site.sections);
    if (code !== 0) throw new Error(`${err}\n${lb.logText()}`);
    await lb.setSite(site.sections);
    return site;
  }

  async down(): Promise<void> {
    await this.lb.down();
    this.#rpc.close();
    await Promise.all(this.targets.map((target) => target.kill()));
  }
}

function sections(lb: LbRig, targets: readonly TargetProcess[], ports: Ports) {
  const weighed = targets.map(({ host, port }, at) => ({ address: host, port, weight: at + 1 }));
  return {
    certificates: [
      { name: 'a', chain: lb.certificate('a', ['a.example', '127.0.0.1']) },
      { name: 'b', chain: lb.certificate('b', ['b.example']) },
    ],
    listeners: [
      { name: 'web', at: `127.0.0.1:${ports.plain}`, protocol: 'http' },
      { name: 'known', at: `127.0.0.1:${ports.known}`, protocol: 'http', http2: true },
      { name: 'tls', at: `127.0.0.1:${ports.secure}`, protocol: 'https', certificates: ['a', 'b'] },
    ],
    routes: [
      { name: 'all', pool: 'web', upgrade: true },
      { name: 'sticky', paths: ['/sticky'], pool: 'sticky' },
      { name: 'rpc', paths: ['/rpc'], pool: 'rpc' },
      { name: 'live', paths: ['/live'], pool: 'one', upgrade: true },
      { name: 'other', hosts: ['other.example'], respond: { status: 200, body: 'other' } },
    ],
    pools: [
      { name: 'web', targets: weighed },
      { name: 'one', targets: weighed.slice(0, 1) },
      { name: 'sticky', targets: weighed, proxy: { sticky: { cookie: 'lb' } } },
      {
        name: 'rpc',
        targets: [{ address: '127.0.0.1', port: ports.rpc }],
        proxy: { protocol: 'h2c' },
      },
    ],
  };
}

/** Answers each message of a stream as it comes, and ends with trailers, as gRPC does. */
async function startRpc(): Promise<Http2Server> {
  const server = createServer();
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    const trailers = { 'grpc-status': '0', 'grpc-message': String(headers.te ?? 'no te') };
    if (headers['x-fail'] !== undefined) {
      stream.respond({ ':status': 200, 'grpc-status': '12' }, { endStream: true });
      return;
    }
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc' },
      { waitForTrailers: true },
    );
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.pipe(stream);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
