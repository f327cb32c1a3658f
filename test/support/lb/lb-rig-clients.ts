// Clients and targets of edge-lb's live tests: requests on connections of their own, loaders and
// what they count, target processes.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  Agent,
  type IncomingHttpHeaders,
  request as plainRequest,
  type RequestOptions,
} from 'node:http';
import { request as secureRequest } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { execute } from '../../../lab/exec.ts';
import { until } from '../../../lab/ready.ts';
import { unshareNetwork } from '../../../shared/bpf/libc.ts';
import { ip } from '../network-namespace.ts';
import { root } from '../skip.ts';
import { type WebSocket, ws } from './lb-rig-ws.ts';

const TARGET = join(import.meta.dirname, 'lb-rig-target.ts');

/** `target`: who says to have answered. */
export type Answer = {
  status: number;
  target: string;
  headers: IncomingHttpHeaders;
  body: string;
};

type Options = RequestOptions & {
  body?: string;
  rejectUnauthorized?: boolean;
  /** Of the client. */
  cert?: Buffer;
  key?: Buffer;
};

/** One request, on a connection of its own unless an agent is told. Rejects without an answer. */
export function ask(url: string, { body, ...options }: Options = {}): Promise<Answer> {
  const send = url.startsWith('https') ? secureRequest : plainRequest;
  const settings = { agent: false, rejectUnauthorized: false, timeout: 30_000, ...options };
  return new Promise((resolve, reject) => {
    const request = send(url, settings, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response;
        const target = String(headers['x-target'] ?? '');
        resolve({ status, target, headers, body: Buffer.concat(pieces).toString('latin1') });
      });
    });
    request.on('timeout', () => request.destroy(new Error('no answer for 30 s')));
    request.on('error', reject);
    request.end(body);
  });
}

/** Asks without a pause, on kept connections, until told to stop. */
export class Asking {
  readonly answers: Answer[] = [];
  /** What was no 200, in words. */
  readonly failures: string[] = [];
  readonly #done: Promise<unknown>;
  #isStopped = false;

  constructor(url: string, concurrency: number, options: Options = {}) {
    const agent = new Agent({ keepAlive: true });
    const each = Array.from({ length: concurrency }, async () => {
      while (!this.#isStopped) await this.#ask(url, { agent, ...options });
    });
    this.#done = Promise.all(each).finally(() => agent.destroy());
  }

  get count(): number {
    return this.answers.length + this.failures.length;
  }

  /** Until so many more were answered with 200. */
  async more(count: number): Promise<void> {
    const wanted = this.answers.length + count;
    await until(`${count} more answers`, () => this.answers.length >= wanted, {
      timeoutMs: 60_000,
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#done;
  }

  async #ask(url: string, options: Options): Promise<void> {
    try {
      const answer = await ask(url, options);
      if (answer.status === 200) this.answers.push(answer);
      else this.failures.push(`${answer.status}`);
    } catch (error) {
      this.failures.push((error as Error).message);
    }
  }
}

/** curl's answer: body, and what `-w` says behind it. */
export async function curl(...args: string[]): Promise<{ code: number; stdout: string }> {
  const { code, stdout, stderr } = await execute(
    'curl',
    ['-sSk', '--max-time', '30', '-w', '\n%{http_code} %{http_version}', ...args],
    { allowFailure: true },
  );
  return { code, stdout: code === 0 ? stdout : stderr };
}

export type Loaded = { requests: number; failed: number; text: string };

/** wrk: HTTP/1.1, all connections kept. */
export async function wrk(url: string, seconds: number, ...args: string[]): Promise<Loaded> {
  const own = ['-t1', '-c16', `-d${seconds}s`, '--timeout', '20s', ...args, url];
  const { stdout: text } = await execute('wrk', own);
  const number = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0);
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text);
  const broken = (errors ?? []).slice(1).reduce((sum, each) => sum + Number(each), 0);
  const failed = broken + number(/Non-2xx or 3xx responses: (\d+)/);
  return { requests: number(/(\d+) requests in/), failed, text };
}

/** h2load: HTTP/2, or HTTP/1.1 with `--h1`. */
export async function h2load(url: string, ...args: string[]): Promise<Loaded> {
  const { stdout: text } = await execute('h2load', [...args, url], { allowFailure: true });
  const counts = /requests: (\d+) total, \d+ started, (\d+) done, (\d+) succeeded/.exec(text) ?? [];
  const [, total = 0, , succeeded = 0] = counts.map(Number);
  const well = Number(/status codes: (\d+) 2xx/.exec(text)?.[1] ?? 0);
  return { requests: total, failed: total - Math.min(succeeded, well), text };
}

/** An open WebSocket; rejects with what the server answered instead. */
export async function webSocket(
  url: string,
  options: Record<string, unknown> = {},
  protocols: readonly string[] = [],
): Promise<WebSocket> {
  const socket = new ws.WebSocket(url, protocols, { rejectUnauthorized: false, ...options });
  await once(socket, 'open');
  socket.on('error', () => {}); // 'close' follows
  return socket;
}

/** What comes back of it. */
export async function echoed(
  socket: WebSocket,
  data: string | Buffer,
  options: { binary?: boolean } = {},
): Promise<{ data: Buffer; isBinary: boolean }> {
  const message = once(socket, 'message');
  socket.send(data, options);
  const [back, isBinary] = (await message) as [Buffer, boolean];
  return { data: back, isBinary };
}

/** How it ends. */
export async function closed(socket: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
  return { code, reason: `${reason}` };
}

/** A process of lb-rig-target.ts; it dies with the test's. */
export class TargetProcess {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  #child: ChildProcess | undefined;

  constructor(name: string, host: string, port: number) {
    this.name = name;
    this.host = host;
    this.port = port;
  }

  get id(): string {
    return `${this.host}:${this.port}`;
  }

  /** Resolves when it listens. */
  async start(): Promise<this> {
    const args = [process.execPath, TARGET, this.name, this.host, `${this.port}`];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    this.#child = child;
    await until(`${this.name} listens`, () => {
      if (child.exitCode !== null) throw new Error(`${this.name} ended`);
      return isOpen(this.host, this.port);
    });
    return this;
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}

async function isOpen(host: string, port: number): Promise<boolean> {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}

/** A loopback of the test's own where it may; then packets can be dropped there. */
export function ownLoopback(): void {
  if (!root().met) return;
  unshareNetwork();
  ip('link set lo up');
}

/** Three of them, by address, each weighing its number. */
export async function startTargets(port: number): Promise<TargetProcess[]> {
  const numbers = [1, 2, 3];
  return Promise.all(numbers.map((n) => new TargetProcess(`t${n}`, `127.0.1.${n}`, port).start()));
}
