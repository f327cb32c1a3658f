// What every daemon does alike around its service: flags, settings, log, metrics, admin pages,
// control socket, signals, exit code. A service's main.ts hands in what it is and this process;
// nothing else reads process.*.
import { release } from 'node:os';
import type { ControlRoute } from './admin/control.ts';
import type { StatusView } from './admin/page.ts';
import type { JsonPages, ReadyCheck } from './admin/server.ts';
import type { Clock } from './clock.ts';
import type { DaemonEvent } from './daemon-events.ts';
import { type DaemonCommand, daemonHelp, parseDaemonFlags } from './daemon-flags.ts';
import { serve } from './daemon-serve.ts';
import { ConfigError, describeError, exitCodeOf } from './errors.ts';
import type { LifecycleState, Part } from './lifecycle.ts';
import type { EventTable, LogLevel, LogOutput, RootLog } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { Listen } from './net/ports.ts';
import type { Random } from './random.ts';
import { productVersion } from './version.ts';

/** What daemonSettings() gives. */
export type CommonSettings = {
  node: string;
  log: { level: LogLevel };
  admin: { listen: Listen; tokenFile?: string | undefined };
  control: { socket: string };
  drain: { timeout: number };
};

export type DaemonDefinition<
  Config extends CommonSettings,
  Events extends EventTable,
> = DaemonCommand & {
  events: Events;
  /** Throws a ConfigError with every problem. Also the whole of --check-config. */
  load(file: string): Config;
  print(config: Config): string;
  build(
    context: DaemonContext<Config, keyof Events & string>,
  ): DaemonService<Config> | Promise<DaemonService<Config>>;
};

export type DaemonContext<Config, Event extends string> = {
  config: Config;
  log: RootLog<Event | DaemonEvent>;
  clock: Clock;
  random: Random;
  metrics: Metrics;
  version: string;
  switches: ReadonlySet<string>;
  state(): LifecycleState;
  /** Ends the daemon because going on would be wrong. */
  fail(error: unknown): void;
};

export type DaemonService<Config> = {
  parts: readonly Part[];
  /** Besides the state of the daemon, which is checked anyway. */
  checks(): readonly ReadyCheck[];
  status(): StatusView | Promise<StatusView>;
  statusJson(): unknown;
  /** Of the admin port, besides what every daemon shows. */
  pages?: JsonPages;
  /** Verbs besides GET /status. */
  routes: readonly ControlRoute[];
  /** Takes the new settings or throws and keeps the old. */
  reload(config: Config): void | Promise<void>;
  dump?(): unknown;
};

/** The process, as far as a daemon needs it. */
export type DaemonIo = {
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  pid: number;
  nodeVersion: string;
  stdout: LogOutput;
  stderr: LogOutput;
  monotonicMicroseconds(): bigint;
  onSignal(name: NodeJS.Signals, listener: () => void): void;
};

export function processIo(own: NodeJS.Process): DaemonIo {
  return {
    args: own.argv.slice(2),
    env: own.env,
    pid: own.pid,
    nodeVersion: own.version,
    stdout: own.stdout,
    stderr: own.stderr,
    monotonicMicroseconds: () => own.hrtime.bigint() / 1000n,
    onSignal: (name, listener) => void own.on(name, listener),
  };
}

/**
 * Runs until stopped; resolves with the exit code. What it throws is a bug and should end the
 * process.
 */
export async function runDaemon<Config extends CommonSettings, const Events extends EventTable>(
  definition: DaemonDefinition<Config, Events>,
  io: DaemonIo,
): Promise<number> {
  try {
    const flags = parseDaemonFlags(definition, io.args);
    if (flags.action === 'help') io.stdout.write(daemonHelp(definition));
    else if (flags.action === 'version')
      io.stdout.write(`${versionLine(definition.service, io)}\n`);
    else {
      const config = definition.load(flags.config);
      if (flags.action === 'print-config') io.stdout.write(definition.print(config));
      else if (flags.action === 'run') return await serve(definition, io, flags, config);
    }
    return 0;
  } catch (error) {
    return explainExit(definition.service, io, error);
  }
}

function explainExit(service: string, io: DaemonIo, error: unknown): number {
  const code = exitCodeOf(error);
  if (code === undefined) throw error;
  const text = error instanceof ConfigError ? error.message : describeError(error);
  io.stderr.write(error instanceof ConfigError ? `${text}\n` : `edge-${service}: ${text}\n`);
  return code;
}

function versionLine(service: string, io: DaemonIo): string {
  return `edge-${service} ${productVersion()} (Node ${io.nodeVersion}, Linux ${release()})`;
}
