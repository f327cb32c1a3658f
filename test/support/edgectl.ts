// For tests of edgectl: a member that follows the store at once, and edgectl as a process.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Member, Store } from '../../shared/store/types.ts';

const MAIN = fileURLToPath(new URL('../../shared/ctl/main.ts', import.meta.url));
const FOLLOW_MS = 20;

/** A natter that applies at once whatever is stored; `state` overrides what it says. */
export class FakeMember {
  readonly node: string;
  readonly #store: Store;
  state: Partial<Member> = {};
  #beating = true;
  readonly #loop: Promise<void>;

  constructor(store: Store, node: string) {
    this.#store = store;
    this.node = node;
    this.#loop = this.#beat();
  }

  async #beat(): Promise<void> {
    while (this.#beating) {
      const { version } = await this.#store.head('natter');
      const node = await this.#store.get('natter', 'node', this.node);
      await this.#store.heartbeat({
        service: 'natter',
        node: this.node,
        version: '0.1.0',
        state: node === undefined ? 'running' : 'drained',
        applied: { natter: version },
        startedAt: Date.now(),
        clockMs: Date.now(),
        ...this.state,
      });
      await new Promise((resolve) => setTimeout(resolve, FOLLOW_MS));
    }
  }

  /** Ends and leaves, as a natter that is stopped does. */
  async stop(): Promise<void> {
    this.#beating = false;
    await this.#loop;
    await this.#store.leave('natter', this.node);
  }
}

export type Result = { code: number | null; out: string; err: string };
export type Options = {
  storeUrl: string;
  directory: string;
  stdin?: string;
  env?: Record<string, string>;
  uid?: number;
};

export function startEdgectl(
  argv: readonly string[],
  options: Options,
): ChildProcessWithoutNullStreams {
  const env = { ...process.env, EDGE_STORE: options.storeUrl, ...options.env };
  const child = spawn(process.execPath, [MAIN, ...argv], {
    env,
    cwd: options.directory,
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  child.stdin.end(options.stdin ?? '');
  return child;
}

export async function runEdgectl(argv: readonly string[], options: Options): Promise<Result> {
  const child = startEdgectl(argv, options);
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}
