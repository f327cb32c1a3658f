// `edge-natter --detach`: takes away what outlives the daemon: routes, programs, pinned maps. In
// this order, so that no packet is sent here once nothing translates it.

import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { controlRequest } from '../shared/admin/client.ts';
import { createBpf } from '../shared/bpf/kernel.ts';
import { lockPinDirectory } from '../shared/bpf/pin.ts';
import { pinDirectories } from '../shared/bpf/pins.ts';
import { systemClock } from '../shared/clock.ts';
import type { DaemonIo } from '../shared/daemon.ts';
import { parseDaemonFlags } from '../shared/daemon-flags.ts';
import {
  ConfigError,
  describeError,
  exitCodeOf,
  isDenied,
  OperationalError,
} from '../shared/errors.ts';
import { HOOKS, Hooks } from '../shared/links/hook.ts';
import { createIpHost } from '../shared/links/ip-host.ts';
import type { NatterConfig } from './config.ts';
import { pinDirectoryOf } from './config.ts';
import { HOST_CODE, type NatterDaemon, planOf } from './daemon.ts';
import { FILTER_PRIORITY } from './links.ts';

/** Resolves with the exit code. */
export async function runDetach(daemon: NatterDaemon, io: DaemonIo): Promise<number> {
  try {
    const flags = parseDaemonFlags(daemon, io.args);
    const config = daemon.load(flags.config);
    await refuseWhileRunning(config);
    await detach(config);
    return 0;
  } catch (error) {
    const code = exitCodeOf(error);
    if (code === undefined) throw error;
    const text = error instanceof ConfigError ? error.message : describeError(error);
    io.stderr.write(`edge-natter: ${text}\n`);
    return code;
  }
}

async function detach(config: NatterConfig): Promise<void> {
  const pins = pinDirectoryOf(config);
  if (existsSync(pins)) lockPinDirectory(pins); // a daemon with another control socket has it
  const [bpf, host, plan] = [createBpf(), createIpHost(systemClock, HOST_CODE), planOf(config)];
  const set = plan.announce.routes;
  const links = await host.links();
  const own = [...plan.links.uplink, ...plan.links.inside];
  const present = links.filter(({ name }) => own.includes(name));
  await host.changeRoutes(set, [], await host.routes(set));
  for (const link of present) await host.proxyArp(link, [], set);
  const hooks = new Hooks(bpf, pins, FILTER_PRIORITY);
  for (const { ifindex } of present) for (const hook of HOOKS) hooks.detach(hook, ifindex);
  for (const path of pinDirectories(pins)) rmSync(path, { recursive: true, force: true });
  removeEmpty(dirname(pins));
}

/** The instance's directory, in which an lb may have pins, too. */
function removeEmpty(directory: string): void {
  if (!existsSync(directory) || readdirSync(directory).length > 0) return;
  try {
    rmdirSync(directory);
  } catch (error) {
    // Its unit makes it, as root.
    if (!isDenied(error)) throw error;
  }
}

async function refuseWhileRunning(config: NatterConfig): Promise<void> {
  try {
    await controlRequest(config.control.socket, 'GET', '/status');
  } catch (error) {
    if (error instanceof OperationalError && error.code === 'EDGE_NOT_RUNNING') return;
    throw error;
  }
  throw new OperationalError('EDGE_ALREADY_RUNNING', 'the daemon runs', {
    remedy: 'stop it first, then detach',
  });
}
