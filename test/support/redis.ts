// Private redis-servers for tests: in a directory of their own, on a unix socket or on loopback
// ports that the system chose, and ended by pid. A machine without redis-server fails, for set-up
// installs it.
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../lab/ready.ts';

export type RedisProcess = {
  directory: string;
  /** unix:… or redis://127.0.0.1:… */
  url: string;
  port: number;
  pid(): number;
  /** Sends one command inline; the raw reply. */
  ask(command: string): Promise<string>;
  freeze(): void;
  thaw(): void;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** After a kill: the same directory, the same address. */
  start(): Promise<void>;
  /** Ends it and removes the directory. */
  stop(): Promise<void>;
};

export type RedisSettings = { port?: number; arguments?: string[]; command?: string[] };

export async function startRedis(settings: RedisSettings = {}): Promise<RedisProcess> {
  const directory = mkdtempSync(join(tmpdir(), 'edge-redis-'));
  const port = settings.port ?? 0;
  const path = join(directory, 'redis.sock');
  const listen = port === 0 ? ['--unixsocket', path] : ['--bind', '127.0.0.1'];
  const args = ['--port', `${port}`, ...listen, '--save', '', ...(settings.arguments ?? [])];
  let child: ChildProcess | undefined;

  const end = async (signal: NodeJS.Signals) => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill(signal);
    await gone;
  };
  const ask = (command: string) => askInline(port === 0 ? { path } : { port }, command);
  const server: RedisProcess = {
    directory,
    url: port === 0 ? `unix:${path}` : `redis://127.0.0.1:${port}`,
    port,
    pid: () => child?.pid ?? 0,
    ask,
    freeze: () => child?.kill('SIGSTOP'),
    thaw: () => child?.kill('SIGCONT'),
    kill: () => end('SIGKILL'),
    async start() {
      const command = settings.command ?? ['redis-server'];
      const program = ['--pdeathsig', 'KILL', ...command, ...args]; // ends with a killed test run
      child = spawn('setpriv', program, { cwd: directory, stdio: 'ignore' });
      await once(child, 'spawn');
      await until('redis-server answers', async () => (await ask('PING')).startsWith('+PONG'));
    },
    async stop() {
      await end('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

/** Ports of loopback that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  });
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

function askInline(at: { path: string } | { port: number }, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect('path' in at ? at : { ...at, host: '127.0.0.1' });
    socket.setTimeout(1000, () => socket.destroy(new Error('redis-server did not answer')));
    socket.on('error', reject);
    socket.on('data', (bytes) => {
      resolve(bytes.toString());
      socket.destroy();
    });
    socket.write(`${command}\r\n`);
  });
}
