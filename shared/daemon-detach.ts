// `--detach` of a daemon whose programs, routes and addresses outlive it: what every such daemon
// does around taking its own away.
import { controlRequest } from './admin/client.ts';
import type { CommonSettings, DaemonDefinition, DaemonIo } from './daemon.ts';
import { parseDaemonFlags } from './daemon-flags.ts';
import { ConfigError, describeError, exitCodeOf, OperationalError } from './errors.ts';
import type { EventTable } from './log.ts';

/** Resolves with the exit code. Refused while the daemon runs. */
export async function runDetach<Config extends CommonSettings, const Events extends EventTable>(
  daemon: DaemonDefinition<Config, Events>,
  io: DaemonIo,
  detach: (config: Config) => Promise<void>,
): Promise<number> {
  try {
    const config = daemon.load(parseDaemonFlags(daemon, io.args).config);
    await refuseWhileRunning(config.control.socket);
    await detach(config);
    return 0;
  } catch (error) {
    const code = exitCodeOf(error);
    if (code === undefined) throw error;
    const text = error instanceof ConfigError ? error.message : describeError(error);
    io.stderr.write(`edge-${daemon.service}: ${text}\n`);
    return code;
  }
}

async function refuseWhileRunning(socket: string): Promise<void> {
  try {
    await controlRequest(socket, 'GET', '/status');
  } catch (error) {
    if (error instanceof OperationalError && error.code === 'EDGE_NOT_RUNNING') return;
    throw error;
  }
  throw new OperationalError('EDGE_ALREADY_RUNNING', 'the daemon runs', {
    remedy: 'stop it first, then detach',
  });
}
