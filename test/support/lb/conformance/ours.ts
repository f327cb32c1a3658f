// Workers of edge-lb as the daemon starts them: processes of lb/worker/main.ts that are told
// settings and a plan. Impatient rows have a worker of their own.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { until } from '../../../../lab/ready.ts';
import type { WorkerPlan } from '../../../../lb/l7/types.ts';
import type { TargetState } from '../../../../lb/pools/types.ts';
import type { FromWorker, ToWorker, WorkerSettings } from '../../../../lb/workers/messages.ts';
import { type Prefix, parsePrefix } from '../../../../shared/net/prefix.ts';
import { DEFAULT_PROXY } from '../../../../shared/site/lb-objects.ts';
import { LISTENER, ROUTE } from '../http/fakes.ts';
import type { Place, Running } from './subjects.ts';

const PATH = join(import.meta.dirname, '../../../../lb/worker/main.ts');
const IMPATIENT_MS = 1000;
const PATIENT_MS = 30_000;

export async function startWorkers(places: readonly Place[]): Promise<Running> {
  const isImpatient = ({ row }: Place) => row.setup.impatient === true;
  const workers = [
    new RigWorker(
      places.filter((place) => !isImpatient(place)),
      PATIENT_MS,
    ),
    new RigWorker(places.filter(isImpatient), IMPATIENT_MS),
  ];
  const stop = async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
  };
  try {
    await Promise.all(workers.map((worker) => worker.ready()));
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

class RigWorker {
  readonly #child: ChildProcess;
  #applied: Extract<FromWorker, { kind: 'applied' }> | undefined;

  constructor(places: readonly Place[], patienceMs: number) {
    this.#child = fork(PATH, [], { serialization: 'advanced', stdio: ['ignore', 2, 2, 'ipc'] });
    this.#child.on('message', (message: FromWorker) => {
      if (message.kind === 'applied') this.#applied = message;
    });
    this.#send({ kind: 'settings', settings: settingsOf(patienceMs) });
    this.#send({ kind: 'plan', plan: planOf(places), closeOverMs: 0 });
  }

  async ready(): Promise<void> {
    const { problems } = await until('the plan is applied', () => this.#applied);
    const [problem] = problems;
    if (problem !== undefined) throw new Error(`${problem.listener}: ${problem.text}`);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.disconnect();
    const killing = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await exit;
    clearTimeout(killing);
  }

  #send(message: ToWorker): void {
    this.#child.send(message);
  }
}

function settingsOf(patienceMs: number): WorkerSettings {
  return {
    node: 'rig',
    workers: 1,
    index: 0,
    accessLog: undefined,
    limits: {
      connections: 10_000,
      perClient: 10_000,
      head: patienceMs,
      body: patienceMs,
      keepAlive: patienceMs,
      handshake: 10_000,
      requests: 1000,
      workerMemory: 2 ** 31,
    },
    keys: { sticky: new Uint8Array(32), tickets: new Uint8Array(32) },
  };
}

function planOf(places: readonly Place[]): WorkerPlan {
  const named = places.map((place, index) => ({ ...place, name: `r${index}` }));
  return {
    version: 1,
    listeners: named.map(({ name, at, row: { setup } }) => ({
      ...LISTENER,
      name,
      at: [`${at.host}:${at.port}`],
      proxyFrom: prefixes(setup.proxyFrom),
      trusted: prefixes(setup.trusted),
    })),
    routes: named.map(({ name, row: { setup } }) => ({
      ...ROUTE,
      name,
      listeners: [name],
      action: { kind: 'pool', pool: name },
      ...setup.route,
    })),
    pools: named.map(({ name, row: { setup }, target, dead }) => ({
      name,
      proxy: {
        ...DEFAULT_PROXY,
        // One row's failures are no other's.
        passive: { ...DEFAULT_PROXY.passive, failures: 0 },
        ...setup.proxy,
      },
      targets: portsOf(setup.dead, target.port, dead).map(stateOf),
    })),
    certificates: [],
  };
}

/** Where a row's requests may go. */
export function portsOf(
  kind: 'only' | 'first' | undefined,
  port: number,
  dead: number,
): readonly number[] {
  if (kind === undefined) return [port];
  return kind === 'only' ? [dead] : [dead, port];
}

function stateOf(port: number): TargetState {
  const address = '127.0.0.1';
  return {
    id: `${address}:${port}`,
    address,
    port,
    weight: 1,
    tier: 0,
    health: 'up',
    upSinceMs: 0,
  };
}

function prefixes(text: string | undefined): Prefix[] {
  if (text === undefined) return [];
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new Error(`${text} is no prefix`);
  return [prefix];
}
