// The composition root of edgectl: everything that touches the process is here.

import { hostname, userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { systemClock } from '../clock.ts';
import type { Context, Input } from './context.ts';
import { systemHost } from './doctor/host.ts';
import { runEdgectl } from './edgectl.ts';
import { EXIT } from './exit.ts';
import { readText } from './files.ts';
import { Output } from './output.ts';

const PROBE_TIMEOUT_MS = 1500;
const COMMAND_TIMEOUT_MS = 10_000;

const interrupt = new AbortController();

const input: Input = {
  isTty: process.stdin.isTTY === true,
  readAll: () => readText(process.stdin),
  async confirm(question) {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      const answer = await lines.question(`${question} [y/N] `, { signal: interrupt.signal });
      return /^y(es)?$/i.test(answer.trim());
    } finally {
      lines.close();
    }
  },
};

const context: Context = {
  out: new Output(process.stdout, process.env),
  err: new Output(process.stderr, process.env),
  input,
  env: process.env,
  clock: systemClock,
  signal: interrupt.signal,
  author: `${process.env.SUDO_USER ?? userInfo().username}@${hostname()}`,
  paths: { config: '/etc/edge/edgectl.yaml', state: '/var/lib/edge', run: '/run/edge' },
  host: systemHost,
  async openStore(config) {
    const { openStore } = await import('../store/open.ts');
    const open = (commandTimeoutMs: number) =>
      openStore({ ...config, clientName: 'edgectl', commandTimeoutMs });
    // A store that is down is told soon; one that is there may take its time over a large apply.
    const probe = open(PROBE_TIMEOUT_MS);
    await probe.ping().finally(() => probe.close());
    return open(COMMAND_TIMEOUT_MS);
  },
  async getAdmin(address, path, token) {
    const { adminRequest } = await import('../admin/client.ts');
    return adminRequest(address, path, { signal: interrupt.signal, token });
  },
  openControl(socketPath) {
    const { signal } = interrupt;
    const ask = async (method: 'GET' | 'POST', path: string, body?: unknown) => {
      const { controlRequest } = await import('../admin/client.ts');
      return controlRequest(socketPath, method, path, body, { signal });
    };
    return {
      get: (path) => ask('GET', path),
      post: (path, body) => ask('POST', path, body),
      async *stream(path, streamSignal) {
        const { controlStream } = await import('../admin/client.ts');
        yield* controlStream(socketPath, 'GET', path, undefined, { signal: streamSignal });
      },
    };
  },
};

/** Runs what the command line says. The first Ctrl-C ends it in good order, the second at once. */
export async function main(): Promise<void> {
  process.on('SIGINT', () => {
    if (interrupt.signal.aborted) process.exit(EXIT.interrupted);
    interrupt.abort();
  });
  process.exitCode = await runEdgectl(process.argv.slice(2), context);
}
