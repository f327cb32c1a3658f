// edgectl in one process: a memory store, a clock that runs by itself, streams to read back.

import { PassThrough } from 'node:stream';
import { ManualClock } from '../../../shared/clock.ts';
import type { Context, Control } from '../../../shared/ctl/context.ts';
import type { Host } from '../../../shared/ctl/doctor/host.ts';
import { runEdgectl } from '../../../shared/ctl/edgectl.ts';
import { Output } from '../../../shared/ctl/output.ts';
import { OperationalError } from '../../../shared/errors.ts';
import { MemoryServer } from '../../../shared/store/memory.ts';
import type { Member } from '../../../shared/store/types.ts';

/** Advances by itself when somebody sleeps, so that waits end at once. */
class SleeplessClock extends ManualClock {
  /** Called before each sleep: what happens meanwhile. */
  onSleep: () => void | Promise<void> = () => {};

  override async sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await this.onSleep();
    await this.advance(delayMs);
  }
}

export type Result = { code: number; out: string; err: string };

export const BARE_HOST: Host = {
  read: async () => undefined,
  list: async () => [],
  stat: async () => undefined,
  fileSystemType: async () => undefined,
  run: async () => undefined,
  kernelRelease: () => '6.1.0',
};

export class Harness {
  readonly clock = new SleeplessClock();
  readonly server = new MemoryServer({ clock: this.clock });
  readonly interrupt = new AbortController();
  host: Host = BARE_HOST;
  env: Record<string, string> = {};
  tty = false;
  /** What is answered to a question; undefined: nobody may be asked. */
  answer: boolean | undefined;
  questions: string[] = [];
  stdin = '';
  asked: { path: string; body?: unknown }[] = [];
  /** Control sockets that were opened. */
  sockets: string[] = [];
  /** What a test does not set is answered as if no daemon ran. */
  control: Partial<Control> = {};
  admin: Context['getAdmin'] = () => Promise.reject(new Error('the test set no admin port'));

  /** A natter that has applied everything, or what `member` says. */
  async natter(node: string, member: Partial<Member> = {}): Promise<void> {
    const version = (await this.server.connect().head('natter')).version;
    await this.server.connect().heartbeat({
      service: 'natter',
      node,
      version: '0.1.0',
      state: 'running',
      applied: { natter: version },
      startedAt: this.clock.nowMs(),
      ...member,
    });
  }

  /** From now on the node applies at once whatever is stored. */
  followed(...nodes: string[]): void {
    this.clock.onSleep = async () => {
      for (const node of nodes) await this.natter(node);
    };
  }

  async run(...argv: string[]): Promise<Result> {
    const streams = [new PassThrough(), new PassThrough()] as const;
    const texts = ['', ''];
    for (const [at, stream] of streams.entries()) {
      Object.assign(stream, { isTTY: this.tty });
      stream.on('data', (chunk: Buffer) => {
        texts[at] += chunk.toString();
      });
    }
    const code = await runEdgectl(argv, this.#context(...streams));
    await new Promise((resolve) => setImmediate(resolve));
    return { code, out: texts[0] ?? '', err: texts[1] ?? '' };
  }

  #context(out: PassThrough, err: PassThrough): Context {
    const env = { NO_COLOR: '1', ...this.env };
    const { admin, asked } = this;
    return {
      out: new Output(out, env),
      err: new Output(err, env),
      input: {
        isTty: this.tty,
        readAll: async () => this.stdin,
        confirm: async (question) => {
          this.questions.push(question);
          return this.answer ?? false;
        },
      },
      env,
      clock: this.clock,
      signal: this.interrupt.signal,
      author: 'op@test',
      paths: { config: '/nonexistent/edgectl.yaml', state: '/nonexistent', run: '/run/edge' },
      host: this.host,
      openStore: async () => this.server.connect(),
      openControl: (path) => {
        this.sockets.push(path);
        return this.#control(path);
      },
      getAdmin: (address, path, token) => {
        asked.push({ path: `${address}${path}` });
        return admin(address, path, token);
      },
    };
  }

  #control(socket: string): Control {
    const { control, asked } = this;
    const missing = () =>
      Promise.reject(
        new OperationalError('EDGE_NOT_RUNNING', `no daemon answers on ${socket}`, { exitCode: 3 }),
      );
    return {
      get: (path) => {
        asked.push({ path });
        return control.get?.(path) ?? missing();
      },
      post: (path, body) => {
        asked.push({ path, body });
        return control.post?.(path, body) ?? missing();
      },
      stream: (path, signal) => {
        asked.push({ path });
        if (control.stream === undefined) throw new Error('the test set no stream');
        return control.stream(path, signal);
      },
    };
  }
}

/** A harness on a store, with one natter that follows at once. */
export async function siteWithNatter(): Promise<Harness> {
  const harness = new Harness();
  await harness.natter('natter-1');
  harness.followed('natter-1');
  const { run } = harness;
  harness.run = (...argv) => run.call(harness, ...argv, '--store', 'memory:');
  return harness;
}
