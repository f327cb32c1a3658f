// The worker processes of an lb: started, told what is wanted, asked, started again when they die,
// each after a while that grows. Where one worker is down, the others serve.
import { type ChildProcess, fork } from 'node:child_process';
import type { Clock } from '../../shared/clock.ts';
import { OperationalError } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import type { LbEvent } from '../events.ts';
import type { WorkerPlan } from '../l7/types.ts';
import type { PoolState } from '../pools/types.ts';
import type {
  Ahead,
  FromWorker,
  Problem,
  Question,
  ToWorker,
  WorkerSettings,
  WorkerStats,
} from './messages.ts';

export type WorkersOptions = {
  /** Of worker/main.ts. */
  path: string;
  count: number;
  /** The daemon's own, such as --cpu-prof. */
  nodeFlags: readonly string[];
  settings: (index: number) => WorkerSettings;
  onLimits: (worker: Worker, message: Extract<FromWorker, { kind: 'limits' }>) => void;
  /** Versions or problems of some worker are others. */
  onApplied: () => void;
  clock: Clock;
  log: Log<LbEvent>;
};

const FIRST_RESTART_MS = 200;
const LAST_RESTART_MS = 10_000;
/** A worker that lived so long starts at once. */
const WELL_MS = 30_000;
const ASK_MS = 5000;
const STOP_MS = 2000;

/** One process and its successors. */
export class Worker {
  readonly index: number;
  child: ChildProcess | undefined;
  startedMs = 0;
  restarts = 0;
  applied: number | undefined;
  problems: readonly Problem[] = [];
  stats: WorkerStats | undefined;
  /** Of its predecessors: counters must not fall. */
  before: readonly WorkerStats[] = [];
  restartMs = FIRST_RESTART_MS;

  constructor(index: number) {
    this.index = index;
  }

  send(message: ToWorker): void {
    if (this.child?.connected === true) this.child.send(message, () => {});
  }
}

type Asked = { worker: Worker; done: (answer: unknown) => void; failed: (error: Error) => void };

export class Workers {
  readonly all: readonly Worker[];
  readonly #options: WorkersOptions;
  readonly #asked = new Map<number, Asked>();
  readonly #stopping = new AbortController();
  #nextId = 1;
  #plan: WorkerPlan | undefined;
  #drain: { overMs: number } | undefined;

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.all = Array.from({ length: options.count }, (_, index) => new Worker(index));
  }

  start(): void {
    for (const worker of this.all) this.#spawn(worker);
  }

  /** Undefined until all that run have applied something. */
  get applied(): number | undefined {
    const versions = this.all.flatMap(({ child, applied }) => (child ? [applied ?? -1] : []));
    const least = Math.min(...versions);
    return versions.length === 0 || least < 0 ? undefined : least;
  }

  get problems(): Problem[] {
    const seen = new Map<string, Problem>();
    for (const { problems } of this.all) {
      for (const problem of problems) seen.set(`${problem.listener} ${problem.text}`, problem);
    }
    return [...seen.values()];
  }

  get running(): number {
    return this.all.filter(({ child, applied }) => child !== undefined && applied !== undefined)
      .length;
  }

  /** `closeOverMs`: connections that the plan ends are closed over this time. */
  plan(plan: WorkerPlan, closeOverMs: number): void {
    this.#plan = plan;
    for (const worker of this.all) worker.send({ kind: 'plan', plan, closeOverMs });
  }

  /** New states of some pools of the plan. */
  pools(pools: readonly PoolState[]): void {
    if (this.#plan === undefined || pools.length === 0) return;
    const changed = new Map(pools.map((pool) => [pool.name, pool]));
    const all = this.#plan.pools.map((pool) => changed.get(pool.name) ?? pool);
    this.#plan = { ...this.#plan, pools: all };
    for (const worker of this.all) worker.send({ kind: 'pools', pools });
  }

  settings(): void {
    const { settings } = this.#options;
    for (const worker of this.all) {
      worker.send({ kind: 'settings', settings: settings(worker.index) });
      worker.send({ kind: 'reopen' });
    }
  }

  limits(worker: Worker, own: readonly Ahead[], shared: readonly Ahead[]): void {
    if (own.length + shared.length > 0) worker.send({ kind: 'limits', own, shared });
  }

  drain(overMs: number): void {
    this.#drain = { overMs };
    for (const worker of this.all) worker.send({ kind: 'drain', overMs });
  }

  undrain(): void {
    this.#drain = undefined;
    for (const worker of this.all) worker.send({ kind: 'undrain' });
  }

  /** The answers of all that run. */
  async askAll(question: Question): Promise<unknown[]> {
    const running = this.all.filter(({ child }) => child?.connected === true);
    return Promise.all(running.map((worker) => this.#ask(worker, question)));
  }

  /** Of any one that runs. */
  async askOne(question: Question): Promise<unknown> {
    const worker = this.all.find(({ child, applied }) => child?.connected && applied !== undefined);
    if (worker === undefined) {
      throw new OperationalError('EDGE_LB_NO_WORKER', 'no worker is running', {
        remedy: 'see the log for why they ended',
      });
    }
    return this.#ask(worker, question);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('stopped'));
    await Promise.all(this.all.map((worker) => this.#end(worker)));
  }

  #ask(worker: Worker, question: Question): Promise<unknown> {
    const { clock } = this.#options;
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const cancel = clock.after(ASK_MS, () => {
        this.#asked.delete(id);
        reject(new OperationalError('EDGE_LB_NO_WORKER', `worker ${worker.index} is silent`));
      });
      const settled =
        <Result>(settle: (result: Result) => void) =>
        (result: Result) => {
          cancel();
          this.#asked.delete(id);
          settle(result);
        };
      this.#asked.set(id, { worker, done: settled(resolve), failed: settled(reject) });
      worker.send({ kind: 'ask', id, question });
    });
  }

  #spawn(worker: Worker): void {
    const { path, nodeFlags, clock, settings, log } = this.#options;
    const child = fork(path, [], {
      serialization: 'advanced',
      stdio: ['ignore', 2, 2, 'ipc'],
      execArgv: [...nodeFlags, '--expose-gc'],
    });
    worker.child = child;
    worker.startedMs = clock.monotonicMs();
    child.on('message', (message: FromWorker) => {
      if (worker.child === child) this.#heard(worker, message);
    });
    child.once('error', (error) => {
      log.error('worker-failed', `worker ${worker.index}: ${error.message}`, { error });
    });
    child.once('exit', (code, signal) => this.#ended(worker, child, signal ?? `exit code ${code}`));
    worker.send({ kind: 'settings', settings: settings(worker.index) });
    if (this.#plan !== undefined) worker.send({ kind: 'plan', plan: this.#plan, closeOverMs: 0 });
    if (this.#drain !== undefined) worker.send({ kind: 'drain', ...this.#drain });
  }

  #heard(worker: Worker, message: FromWorker): void {
    const { onLimits, onApplied, log } = this.#options;
    switch (message.kind) {
      case 'applied':
        worker.applied = message.version;
        worker.problems = message.problems;
        onApplied();
        break;
      case 'limits':
        onLimits(worker, message);
        break;
      case 'stats':
        worker.stats = message.stats;
        break;
      case 'reply':
        this.#asked.get(message.id)?.done(message.answer);
        break;
      case 'failed':
        this.#asked
          .get(message.id)
          ?.failed(new OperationalError('EDGE_LB_QUESTION', message.error));
        break;
      case 'trouble':
        log.warn('worker-trouble', `worker ${worker.index}: ${message.text}`, {});
        break;
    }
  }

  #ended(worker: Worker, child: ChildProcess, why: string): void {
    if (worker.child !== child) return;
    const { clock, log, onApplied } = this.#options;
    worker.child = undefined;
    worker.applied = undefined;
    worker.problems = [];
    if (worker.stats !== undefined) worker.before = [...worker.before.slice(-99), worker.stats];
    worker.stats = undefined;
    for (const { worker: asked, failed } of [...this.#asked.values()]) {
      if (asked !== worker) continue;
      failed(new OperationalError('EDGE_LB_NO_WORKER', `worker ${worker.index} ended`));
    }
    if (this.#stopping.signal.aborted) return;
    const livedMs = clock.monotonicMs() - worker.startedMs;
    const isWell = livedMs > WELL_MS;
    worker.restartMs = isWell ? FIRST_RESTART_MS : Math.min(worker.restartMs * 2, LAST_RESTART_MS);
    worker.restarts++;
    log.error('worker-ended', `worker ${worker.index}: ${why}; starts again`, {
      worker: worker.index,
      why,
    });
    onApplied();
    clock.after(worker.restartMs, () => this.#spawn(worker), this.#stopping.signal);
  }

  async #end({ child }: Worker): Promise<void> {
    if (child === undefined || child.exitCode !== null) return;
    const { clock } = this.#options;
    await new Promise<void>((resolve) => {
      const cancel = clock.after(STOP_MS, () => child.kill('SIGKILL'));
      child.once('exit', () => {
        cancel();
        resolve();
      });
      if (child.connected) child.disconnect();
    });
  }
}
