// Flows that stay: a client that says something on each of its connections again and again, and
// checks that it comes back as it was. Also the echo server that answers it over TCP. Started with
// `echo PORT…`, or `tcp|udp HOST PORT COUNT BYTES`; then it tells JSON, a line every 100 ms.
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { LabNode } from '../../../lab/node.ts';
import type { LabProcess } from '../../../lab/process.ts';
import { until } from '../../../lab/ready.ts';

const TELL_MS = 100;
const ROUND_MS = 20;
/** A datagram may be lost. */
const AGAIN_MS = 1000;
let opened = 0;

/** Of each flow: how often all came back, and what went wrong with it; '' nothing. */
export type Flow = { rounds: number; failure: string };

export class Flows {
  readonly #process: LabProcess;
  readonly #count: number;

  private constructor(process: LabProcess, count: number) {
    this.#process = process;
    this.#count = count;
  }

  /** Resolves when each has come round. */
  static async open(
    from: LabNode,
    flow: { protocol: 'tcp' | 'udp'; address: string; port: number; count: number; bytes?: number },
  ): Promise<Flows> {
    const { protocol, address, port, count, bytes = 20_000 } = flow;
    const name = `flows-${++opened}`; // its log is its own
    const args = [import.meta.filename, protocol, address, `${port}`, `${count}`, `${bytes}`];
    const flows = new Flows(from.spawn(process.execPath, args, { name }), count);
    await flows.goOn();
    return flows;
  }

  now(): Flow[] {
    const lines = this.#process.output().split('\n').slice(0, -1);
    return JSON.parse(lines.at(-1) ?? '[]') as Flow[];
  }

  get failures(): string[] {
    return this.now().flatMap(({ failure }) => (failure === '' ? [] : [failure]));
  }

  /** Until each that has not failed came round so many times more. */
  async goOn(rounds = 3): Promise<void> {
    const before = this.now();
    await until(
      'all flows go on',
      () => {
        const now = this.now();
        const isOn = ({ rounds: count, failure }: Flow, at: number): boolean =>
          failure !== '' || count >= (before[at]?.rounds ?? 0) + rounds;
        return now.length === this.#count && now.every(isOn);
      },
      { timeoutMs: 40_000 },
    ).catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(this.now())}`);
    });
  }

  async stop(): Promise<void> {
    await this.#process.kill9();
  }
}

/** On each of these ports, until the node ends. */
export async function echoServer(node: LabNode, ports: readonly number[]): Promise<LabProcess> {
  const args = [import.meta.filename, 'echo', ...ports.map(String)];
  const server = node.spawn(process.execPath, args, { name: 'echo' });
  await server.ready('echoes', () => server.output().includes('listening'));
  return server;
}

/** Bytes that no other round of no other flow has. */
function pieceOf(flow: number, round: number, bytes: number): Buffer {
  return Buffer.alloc(bytes, `${flow} ${round} of what is said.`);
}

async function overTcp(host: string, port: number, flow: Flow, at: number, bytes: number) {
  const socket = connect({ host, port, noDelay: true });
  let got: Buffer = Buffer.alloc(0);
  let wake = () => {};
  const failed = (what: string) => {
    flow.failure ||= what;
    wake();
  };
  socket.on('data', (piece) => {
    got = Buffer.concat([got, piece]);
    if (got.length >= bytes) wake();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => failed(error.code ?? error.message));
  socket.on('close', () => failed('closed'));
  for (let round = 0; flow.failure === ''; round++) {
    got = Buffer.alloc(0);
    const piece = pieceOf(at, round, bytes);
    const heard = new Promise<void>((resolve) => {
      wake = resolve;
    });
    socket.write(piece);
    await heard;
    if (flow.failure === '' && !got.equals(piece)) failed('other bytes came back');
    flow.rounds++;
    await pause(ROUND_MS);
  }
}

async function overUdp(host: string, port: number, flow: Flow, at: number, bytes: number) {
  const socket = createSocket('udp4');
  let wake = () => {};
  let wanted: Buffer = Buffer.alloc(0);
  socket.on('message', (datagram) => {
    if (datagram.equals(wanted)) wake();
  });
  socket.on('error', () => {}); // ICMP errors: it is said again
  await new Promise<void>((resolve) => socket.connect(port, host, resolve));
  for (let round = 0; ; round++) {
    wanted = pieceOf(at, round, bytes);
    let isBack = false;
    const heard = new Promise<void>((resolve) => {
      wake = resolve;
    }).then(() => {
      isBack = true;
    });
    while (!isBack) {
      socket.send(wanted, () => {});
      await Promise.race([heard, pause(AGAIN_MS)]);
    }
    flow.rounds++;
    await pause(ROUND_MS);
  }
}

async function main(mode: string, args: readonly string[]): Promise<void> {
  if (mode === 'echo') {
    for (const port of args) {
      const server = createServer((socket) => {
        socket.on('error', () => {});
        socket.pipe(socket);
      });
      await new Promise<void>((resolve) => server.listen(Number(port), '0.0.0.0', resolve));
    }
    console.log('listening');
    return;
  }
  const [host = '', port = '', count = '', bytes = ''] = args;
  const flows = Array.from({ length: Number(count) }, () => ({ rounds: 0, failure: '' }));
  const run = mode === 'tcp' ? overTcp : overUdp;
  for (const [at, flow] of flows.entries()) void run(host, Number(port), flow, at, Number(bytes));
  setInterval(() => console.log(JSON.stringify(flows)), TELL_MS);
}

if (import.meta.main) {
  const [mode = '', ...args] = process.argv.slice(2);
  await main(mode, args);
}
