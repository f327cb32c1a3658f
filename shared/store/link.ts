// A link: one connection to one server, never made anew, with the run id of that very server. Lists
// of commands and scripts go out as one pipeline and come back as bytes. A call that fails without
// an answer closes the link, for a late reply proves nothing; what ran is then unknown.
import { OperationalError } from '../errors.ts';
import type { StoreConfig } from './connection.ts';
import { createClient } from './connection.ts';
import { storeError } from './failure.ts';
import { parseInfo } from './inspect.ts';
import type { Script } from './script.ts';
import type { StoreAddress } from './url.ts';

export type Argument = string | number | Buffer;
export type Call =
  | readonly [name: string, ...args: Argument[]]
  | { script: Script; keys: readonly string[]; argv: readonly Argument[] };
/** An Error: the server refused this one. */
export type Reply = Buffer | number | null | Error | Reply[];

export type ServerAddress = Exclude<StoreAddress, { kind: 'embedded' | 'cluster' }>;

export interface Link {
  /** 40 hex digits; another after each start of the server. */
  readonly runId: string;
  readonly isOpen: boolean;
  /** One reply a call. Rejects with EDGE_STORE_… when the connection failed or time ran out. */
  run(calls: readonly Call[], timeoutMs: number): Promise<Reply[]>;
  close(): void;
}

type Client = Pick<ReturnType<typeof createClient>, 'disconnect' | 'on' | 'status'> & {
  pipeline(batch: unknown[][]): { exec(): Promise<[Error | null, unknown][] | null> };
};

/** The scripts are loaded, so that their digests do. */
export async function openLink(
  address: ServerAddress,
  config: StoreConfig,
  scripts: readonly Script[],
  timeoutMs: number,
): Promise<Link> {
  const client = createClient(address, config, 'once');
  let trouble: Error | undefined;
  client.on('error', (error: Error) => {
    trouble = error;
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('connecting timed out')), timeoutMs);
    });
    await Promise.race([client.connect(), late]);
    const link = new ClientLink(client);
    const loads = scripts.map((script): Call => ['SCRIPT', 'LOAD', script.text]);
    const [info, ...loaded] = await link.run([['INFO', 'server'], ...loads], timeoutMs);
    for (const reply of [info, ...loaded]) if (reply instanceof Error) throw reply;
    const runId = parseInfo(String(info)).get('run_id') ?? '';
    if (!/^[0-9a-f]{40}$/.test(runId)) throw noRunId();
    link.runId = runId;
    return link;
  } catch (error) {
    client.disconnect();
    throw storeError(error, trouble);
  } finally {
    clearTimeout(timer);
  }
}

class ClientLink implements Link {
  runId = '';
  readonly #client: Client;
  #closed = false;

  constructor(client: Client) {
    this.#client = client;
  }

  get isOpen(): boolean {
    return !this.#closed && this.#client.status === 'ready';
  }

  async run(calls: readonly Call[], timeoutMs: number): Promise<Reply[]> {
    const replies = await this.#send(calls.map(wordsOf), timeoutMs);
    const unknown = (at: number) => isRefusal(replies[at], 'NOSCRIPT');
    if (!calls.some((_, at) => unknown(at))) return replies;
    // Nothing of those ran; what waits for them has to wait again.
    const again = calls.flatMap((call, at) => (unknown(at) || isWait(call) ? [at] : []));
    const texts = again.map((at) => textOf(calls[at] as Call)); // `at` is an index of calls
    const second = await this.#send(texts, timeoutMs);
    second.forEach((reply, at) => {
      replies[again[at] ?? 0] = reply;
    });
    return replies;
  }

  close(): void {
    this.#closed = true;
    this.#client.disconnect();
  }

  async #send(calls: readonly unknown[][], timeoutMs: number): Promise<Reply[]> {
    if (!this.isOpen) throw storeError(new Error('Connection is closed'));
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error('the call timed out')), timeoutMs);
    try {
      const batch = calls.map((words) => ['callBuffer', ...words]);
      const results = (await Promise.race([this.#client.pipeline(batch).exec(), late])) ?? [];
      const replies = results.map(([error, reply]) => error ?? (reply as Reply));
      const lost = replies.find((reply) => reply instanceof Error && !isAnswer(reply));
      if (lost !== undefined) throw lost;
      if (replies.some((reply) => isRefusal(reply, 'READONLY'))) this.close();
      return replies;
    } catch (error) {
      this.close();
      throw storeError(error);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** An error that the server sent, so that it is known that this one did not run. */
function isAnswer(error: Error): boolean {
  return error.name === 'ReplyError';
}

export function isRefusal(reply: Reply | undefined, word: string): boolean {
  return reply instanceof Error && reply.message.startsWith(word);
}

function isWait(call: Call): boolean {
  return !('script' in call) && (call[0] === 'WAIT' || call[0] === 'WAITAOF');
}

function wordsOf(call: Call): unknown[] {
  if (!('script' in call)) return [...call];
  return ['EVALSHA', call.script.sha, call.keys.length, ...call.keys, ...call.argv];
}

function textOf(call: Call): unknown[] {
  if (!('script' in call)) return [...call];
  return ['EVAL', call.script.text, call.keys.length, ...call.keys, ...call.argv];
}

function noRunId(): OperationalError {
  return new OperationalError('EDGE_STORE_DENIED', 'the store does not tell its run_id', {
    remedy: 'allow this user the command INFO, and let no proxy stand before Redis',
  });
}
