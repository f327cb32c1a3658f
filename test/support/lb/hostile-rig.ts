// An edge-lb with two workers and short patience, among hostile targets, and what is looked at when
// it was attacked: memory, descriptors, open connections, workers that ended.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { until } from '../../../lab/ready.ts';
import { seededRandom } from '../../../shared/random.ts';
import { freePorts } from '../redis.ts';
import { type EchoTarget, HostileTarget, startEcho } from './hostile-targets.ts';
import { LbRig } from './lb-rig.ts';
import { ask } from './lb-rig-clients.ts';

const LISTENERS = ['web', 'known', 'tls', 'sni', 'stream', 'proxied', 'few'] as const;
export type ListenerName = (typeof LISTENERS)[number];
/** Certificates whose keys are none. */
const SPOILT = ['fifo', 'zero', 'folder'] as const;
const TIMEOUTS = { connect: '1s', head: '2s', idle: '2s', tunnel: '2s', queue: '1s' };

export class HostileRig {
  readonly lb: LbRig;
  readonly target: HostileTarget;
  readonly echo: EchoTarget;
  readonly #ports: Record<ListenerName, number>;
  site: Record<string, unknown> = {};
  #fds: number[] = [];

  private constructor(
    lb: LbRig,
    target: HostileTarget,
    echo: EchoTarget,
    ports: Record<ListenerName, number>,
  ) {
    this.lb = lb;
    this.target = target;
    this.echo = echo;
    this.#ports = ports;
  }

  static async start(config: Record<string, unknown> = {}): Promise<HostileRig> {
    const numbers = await freePorts(LISTENERS.length);
    const ports = Object.fromEntries(LISTENERS.map((name, at) => [name, numbers[at] ?? 0]));
    const limits = {
      ...{ connections: 6000, perClient: 600, handshake: '2s' },
      ...{ head: '2s', body: '1s', keepAlive: '2s' },
    };
    const lb = await LbRig.prepared({ config: { limits, ...config } });
    const rig = new HostileRig(
      lb,
      await HostileTarget.start(seededRandom(5)),
      await startEcho(),
      ports as Record<ListenerName, number>, // of all names
    );
    try {
      rig.site = rig.#sections();
      rig.#spoilFiles();
      await lb.setSite(rig.site);
      await lb.start();
      await lb.inForce();
      await rig.served();
    } catch (error) {
      await rig.down();
      throw error;
    }
    rig.#fds = rig.fds();
    return rig;
  }

  port(name: ListenerName): number {
    return this.#ports[name];
  }

  url(name: ListenerName): string {
    return `${name === 'tls' ? 'https' : 'http'}://127.0.0.1:${this.port(name)}`;
  }

  async pids(): Promise<number[]> {
    const { workers } = await this.lb.status();
    return workers.flatMap(({ pid }) => (pid === null ? [] : [pid]));
  }

  /** Of both workers together. */
  async rssMebibytes(): Promise<number> {
    const of = (pid: number) =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
    return (await this.pids()).reduce((sum, pid) => sum + of(pid), 0);
  }

  #pids: number[] = [];
  fds(): number[] {
    return this.#pids.map((pid) => readdirSync(`/proc/${pid}/fd`).length);
  }

  /** Somebody who has no part in it, from an address of its own, by HTTP/1.1 and by HTTPS. */
  async served(): Promise<void> {
    this.#pids = await this.pids();
    const options = { localAddress: '127.0.9.9' };
    const asked = (['web', 'tls'] as const).map((name) =>
      ask(`${this.url(name)}/echo/by`, { ...options, agent: false }),
    );
    for (const { status } of await Promise.all(asked)) {
      if (status !== 200) throw new Error(`a bystander got ${status}\n${this.lb.logText()}`);
    }
  }

  /** No worker ended, nothing is open, and descriptors are as they were, but for idle upstreams. */
  async givenBack(): Promise<void> {
    await until('no connection is open', async () => {
      const { listeners } = await this.lb.status();
      return listeners.every(({ open }) => open === 0);
    });
    await until('requests are over', async () => {
      const { targets } = await this.lb.status();
      return targets.every(({ open }) => open === 0);
    });
    const before = this.#fds.reduce((sum, each) => sum + each, 0);
    await until('descriptors are closed', async () => {
      const idle = await this.lb.metric('edge_lb_upstream_connections', '"idle"');
      return this.fds().reduce((sum, each) => sum + each, 0) <= before + idle + 10;
    });
    await this.unhurt();
  }

  async unhurt(): Promise<void> {
    const { workers } = await this.lb.status();
    if (workers.some(({ restarts }) => restarts > 0)) {
      throw new Error(`a worker ended\n${this.lb.logText()}`);
    }
  }

  async down(): Promise<void> {
    await this.lb?.down();
    this.target?.stop();
    this.echo?.server.closeAllConnections();
    this.echo?.server.close();
  }

  /** Keys, and the access log, become what is no file. */
  #spoilFiles(): void {
    const { keyDirectory, directory, config } = this.lb;
    const [fifo, zero, folder] = SPOILT.map((name) => join(keyDirectory, `${name}.key`));
    const log = join(directory, 'log.fifo');
    for (const name of SPOILT) rmSync(join(keyDirectory, `${name}.key`));
    execFileSync('mkfifo', [fifo ?? '', log]);
    symlinkSync('/dev/zero', zero ?? '');
    mkdirSync(folder ?? '');
    config.accessLog = { file: log };
  }

  #sections(): Record<string, unknown> {
    const at = (name: ListenerName) => `127.0.0.1:${this.port(name)}`;
    const hostile = [{ address: '127.0.0.1', port: this.target.port }];
    const echo = [{ address: '127.0.0.1', port: this.echo.port }];
    const proxy = { timeouts: TIMEOUTS, passive: { failures: 0 }, maxQueue: 100 };
    const route = { pool: 'hostile', upgrade: true };
    return {
      certificates: ['a', ...SPOILT].map((name) => ({
        name,
        chain: this.lb.certificate(name, [`${name}.example`]),
      })),
      listeners: [
        { name: 'web', at: at('web'), protocol: 'http' },
        { name: 'known', at: at('known'), protocol: 'http', http2: true },
        {
          ...{ name: 'tls', at: at('tls'), protocol: 'https', http2: true },
          certificates: ['a', ...SPOILT],
        },
        { name: 'sni', at: at('sni'), protocol: 'tls', pool: 'echo' },
        { name: 'stream', at: at('stream'), protocol: 'tcp', pool: 'hostile' },
        { name: 'proxied', at: at('proxied'), protocol: 'http', proxyFrom: ['127.0.0.0/8'] },
        { name: 'few', at: at('few'), protocol: 'http', maxConnections: 20 },
      ],
      routes: [
        { name: 'all', ...route },
        { name: 'echo', paths: ['/echo'], pool: 'echo', compress: true },
        { name: 'gzip', paths: ['/gzip'], pool: 'hostile', compress: true },
        { name: 'queued', paths: ['/queued'], pool: 'queued', rewritePath: '/silent' },
      ],
      pools: [
        { name: 'hostile', targets: hostile, proxy },
        { name: 'echo', targets: echo, proxy: { timeouts: TIMEOUTS } },
        { name: 'queued', targets: hostile, proxy: { ...proxy, maxRequests: 2 } },
      ],
    };
  }
}

/** A client's connection that has no error. `from`: an address of loopback. */
export async function open(port: number, from = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, localAddress: from, noDelay: true });
  socket.on('error', () => {});
  await new Promise<void>((resolve) => {
    socket.once('connect', () => resolve());
    socket.once('close', () => resolve());
  });
  return socket;
}

/** Closed, in whatever way; what it still said is thrown away. */
export async function over(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()));
}

/** From as many addresses as keep each below what one client may have. */
export async function openMany(count: number, port: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(100, count - sockets.length) }, (_, at) =>
      open(port, `127.0.${1 + ((sockets.length + at) % 7)}.1`),
    );
    sockets.push(...(await Promise.all(batch)));
  }
  return sockets;
}

/** All that a connection says until it is closed. */
export async function heard(socket: Socket): Promise<string> {
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  await over(socket);
  return Buffer.concat(pieces).toString('latin1');
}
