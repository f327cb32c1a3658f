// `store: embedded`: a redis-server of one's own, on a unix socket in the state directory, with its
// append-only file there. It ends with its owner: by stop(), by the kernel's parent-death signal
// when the owner is killed, and if both failed, by the next start, which finds it by the pid file.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { OperationalError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Random } from '../random.ts';
import { jitter } from '../random.ts';
import type { StoreEvent } from './events.ts';
import {
  isAlive,
  type ProcessId,
  processId,
  readOwners,
  removeOwners,
  writeOwners,
} from './pidfile.ts';

const READY_MS = 60_000; // a million objects load from the append-only file in a few seconds
const STOP_MS = 10_000;
const POLL_MS = 20;
const FIRST_RESTART_MS = 100;
const MAX_RESTART_MS = 10_000;
const STABLE_MS = 60_000;
const MAX_SOCKET_PATH = 107; // sun_path of unix(7)
const SETPRIV = '/usr/bin/setpriv';

export type EmbeddedOptions = {
  /** Holds redis.sock, redis.pid, redis.log and the directory redis/ with the data. */
  stateDirectory: string;
  /** The owner: Node's `process`. */
  owner: Owner;
  clock: Clock;
  random: Random;
  log: Log<StoreEvent>;
  /** Synced before it answers: for whoever makes promises of what was written. */
  syncsEveryWrite?: boolean;
};

type Owner = Pick<NodeJS.Process, 'pid' | 'kill'>;

/**
 * Resolves once the server answers. EDGE_STORE_EMBEDDED says why it cannot, with its own last
 * words.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const server = new EmbeddedServer(options);
  await server.start();
  return server;
}

export class EmbeddedServer {
  /** For openStore(). */
  readonly url: string;
  readonly #options: EmbeddedOptions;
  readonly #socket: string;
  readonly #pidFile: string;
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  #restarts = 0;

  constructor(options: EmbeddedOptions) {
    this.#options = options;
    this.#socket = join(options.stateDirectory, 'redis.sock');
    this.#pidFile = join(options.stateDirectory, 'redis.pid');
    this.url = `unix:${this.#socket}`;
  }

  /** Of the running redis-server; undefined while there is none. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    if (Buffer.byteLength(this.#socket) > MAX_SOCKET_PATH) {
      throw trouble(`the path ${this.#socket} is too long for a unix socket`, 'shorten it');
    }
    makeDirectory(this.#dataDirectory);
    await this.#endPrevious();
    await this.#launch();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const child = this.#child;
    if (child?.pid !== undefined) await endProcess(this.#options, processId(child.pid));
    removeOwners(this.#pidFile);
  }

  get #dataDirectory(): string {
    return join(this.#options.stateDirectory, 'redis');
  }

  get #logFile(): string {
    return join(this.#options.stateDirectory, 'redis.log');
  }

  /** A server whose owner is gone is ended in order, so that its file is whole. */
  async #endPrevious(): Promise<void> {
    const owners = readOwners(this.#pidFile);
    if (owners !== undefined && isAlive(owners.server)) {
      if (isAlive(owners.owner) && owners.owner.pid !== this.#options.owner.pid) {
        const { pid } = owners.owner;
        throw trouble(
          `${this.#options.stateDirectory} is in use by process ${pid}`,
          'give every daemon a state directory of its own',
        );
      }
      await endProcess(this.#options, owners.server);
    }
    if ((await ask(this.#socket, 'PING')) !== undefined) {
      throw trouble(`another redis-server listens on ${this.#socket}`, 'stop it');
    }
  }

  async #launch(): Promise<void> {
    const startedMs = this.#options.clock.monotonicMs();
    const child = spawnServer(this.#arguments());
    this.#child = child;
    const failed = once(child, 'error', { signal: this.#stopping.signal });
    const spawned = once(child, 'spawn');
    await Promise.race([spawned, failed.then(([cause]) => Promise.reject(cause))]).catch(
      (cause) => {
        throw trouble('cannot start redis-server', 'install it: apt install redis-server', cause);
      },
    );
    failed.catch(() => {}); // aborted by stop(): there was no error
    this.#remember(child);
    await this.#untilReady(child);
    child.once('exit', (code, signal) => this.#onExit(startedMs, signal ?? `code ${code}`));
    if (child.exitCode !== null) this.#onExit(startedMs, `code ${child.exitCode}`);
  }

  #remember(child: ChildProcess): void {
    const server = processId(child.pid ?? 0);
    const owner = processId(this.#options.owner.pid);
    if (server !== undefined && owner !== undefined) writeOwners(this.#pidFile, { server, owner });
  }

  async #untilReady(child: ChildProcess): Promise<void> {
    const { clock } = this.#options;
    const endMs = clock.monotonicMs() + READY_MS;
    while (!(await ask(this.#socket, 'PING'))?.startsWith('+PONG')) {
      if (child.exitCode !== null || child.signalCode !== null) throw this.#died();
      if (clock.monotonicMs() > endMs) {
        if (child.pid !== undefined) await endProcess(this.#options, processId(child.pid));
        throw trouble(
          `redis-server does not answer within ${READY_MS / 1000} s`,
          this.#lastWords(),
        );
      }
      await clock.sleep(POLL_MS, this.#stopping.signal);
    }
  }

  #onExit(startedMs: number, how: string): void {
    if (this.#stopping.signal.aborted) return;
    const { clock, random, log } = this.#options;
    if (clock.monotonicMs() - startedMs > STABLE_MS) this.#restarts = 0;
    log.error('embedded-exited', `redis-server ended (${how})`, { log: this.#logFile });
    const doubledMs = FIRST_RESTART_MS * 2 ** Math.min(this.#restarts++, 10);
    const delayMs = jitter(random, Math.min(doubledMs, MAX_RESTART_MS));
    clock.after(delayMs, () => void this.#relaunch(), this.#stopping.signal);
  }

  async #relaunch(): Promise<void> {
    const startedMs = this.#options.clock.monotonicMs();
    try {
      await this.#launch();
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      if (!(error instanceof OperationalError)) throw error;
      this.#onExit(startedMs, error.message);
    }
  }

  #died(): OperationalError {
    return trouble('redis-server ended as soon as it was started', this.#lastWords());
  }

  #lastWords(): string {
    if (!existsSync(this.#logFile)) return `see ${this.#logFile}`;
    const lines = readFileSync(this.#logFile, 'utf8').trim().split('\n').slice(-3);
    return `see ${this.#logFile}: ${lines.join(' | ')}`;
  }

  /** everysec: a crash of redis-server loses nothing, a loss of power at most the last second. */
  #arguments(): string[] {
    const settings: Record<string, string> = {
      port: '0',
      unixsocket: this.#socket,
      unixsocketperm: '660',
      dir: this.#dataDirectory,
      appendonly: 'yes',
      appendfsync: this.#options.syncsEveryWrite === true ? 'always' : 'everysec',
      save: '',
      'maxmemory-policy': 'noeviction',
      daemonize: 'no',
      logfile: this.#logFile,
    };
    return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  }
}

function spawnServer(args: string[]): ChildProcess {
  const options = { stdio: 'ignore' } as const;
  if (!existsSync(SETPRIV)) return spawn('redis-server', args, options);
  return spawn(SETPRIV, ['--pdeathsig', 'TERM', 'redis-server', ...args], options);
}

async function endProcess(
  { clock, owner }: Pick<EmbeddedOptions, 'clock' | 'owner'>,
  id: ProcessId | undefined,
): Promise<void> {
  if (id === undefined) return;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!isAlive(id)) return;
    sendSignal(owner, id.pid, signal);
    const endMs = clock.monotonicMs() + STOP_MS;
    while (isAlive(id) && clock.monotonicMs() < endMs) await clock.sleep(POLL_MS);
  }
  if (isAlive(id)) throw trouble(`redis-server ${id.pid} cannot be ended`, 'see what it waits for');
}

function sendSignal(owner: Owner, pid: number, signal: NodeJS.Signals): void {
  try {
    owner.kill(pid, signal);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ESRCH') return; // gone already
    throw trouble(`cannot end redis-server ${pid}`, 'end it by hand', cause);
  }
}

/** The reply, or undefined when nobody listens or answers. */
function ask(socketPath: string, command: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(socketPath, () => socket.write(`${command}\r\n`));
    const end = (reply?: string) => {
      resolve(reply);
      socket.destroy();
    };
    socket.setTimeout(1000, () => end());
    socket.once('error', () => end()).once('close', () => end());
    socket.once('data', (bytes) => end(bytes.toString()));
  });
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw trouble(`cannot make ${path}`, 'check the state directory and its owner', cause);
  }
}

function trouble(message: string, remedy: string, cause?: unknown): OperationalError {
  const options = cause === undefined ? { remedy } : { remedy, cause };
  return new OperationalError('EDGE_STORE_EMBEDDED', message, options);
}
