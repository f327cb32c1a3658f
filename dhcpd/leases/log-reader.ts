// The log of changes as followers read it: docs/leases.md §5. On a lane of its own, since a read
// waits.
import { storeError } from '../../shared/store/failure.ts';
import type { Call, Reply } from '../../shared/store/link.ts';
import type { Links } from '../../shared/store/links.ts';
import { parseEntry } from './packed.ts';
import type { LogEntry } from './types.ts';

const LANE = 'log';
const ENTRIES_PER_READ = 128;
const BEFORE_ALL = '0-0';

export class LogReader {
  readonly #links: Links;
  readonly #key: string;
  /** Of the server that was read last: another one may tell another story. */
  #runId: string | undefined;

  constructor(links: Links, key: string) {
    this.#links = links;
    this.#key = key;
  }

  async tail(): Promise<string> {
    const [newest] = await this.#run([['XREVRANGE', this.#key, '+', '-', 'COUNT', 1]], 0);
    return idsOf(newest)[0] ?? BEFORE_ALL;
  }

  async follow(
    afterId: string,
    blockMs: number,
    signal: AbortSignal,
  ): Promise<LogEntry[] | 'trimmed'> {
    signal.throwIfAborted();
    const waitMs = Math.max(1, Math.ceil(blockMs));
    try {
      const before = this.#runId;
      const [oldest, newest, read] = await this.#run(
        [
          ['XRANGE', this.#key, '-', '+', 'COUNT', 1],
          ['XREVRANGE', this.#key, '+', '-', 'COUNT', 1],
          ['XREAD', 'COUNT', ENTRIES_PER_READ, 'BLOCK', waitMs, 'STREAMS', this.#key, afterId],
        ],
        waitMs,
        signal,
      );
      if (before !== undefined && before !== this.#runId) return 'trimmed';
      if (isGap(afterId, idsOf(oldest)[0], idsOf(newest)[0])) return 'trimmed';
      return entriesOf(read);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }

  async #run(calls: readonly Call[], waitMs: number, signal?: AbortSignal): Promise<Reply[]> {
    const link = await this.#links.link(LANE, await this.#links.nodeOf(this.#key));
    signal?.throwIfAborted();
    const stop = () => link.close();
    signal?.addEventListener('abort', stop, { once: true });
    const replies = await this.#links.runOn(link, calls, waitMs).finally(() => {
      signal?.removeEventListener('abort', stop);
    });
    for (const reply of replies) if (reply instanceof Error) throw storeError(reply);
    this.#runId = link.runId;
    return replies;
  }
}

/** Whether what came after `afterId` is gone, or `afterId` is of a history that was lost. */
function isGap(afterId: string, oldest: string | undefined, newest: string | undefined): boolean {
  if (afterId === BEFORE_ALL) return false;
  if (oldest === undefined || newest === undefined) return true;
  return isBefore(afterId, oldest) || isBefore(newest, afterId);
}

function isBefore(a: string, b: string): boolean {
  const [aMs = 0n, aCount = 0n] = a.split('-').map(BigInt);
  const [bMs = 0n, bCount = 0n] = b.split('-').map(BigInt);
  return aMs < bMs || (aMs === bMs && aCount < bCount);
}

/** Of rows [id, fields]. */
function idsOf(rows: Reply | undefined): string[] {
  if (!Array.isArray(rows)) return [];
  return rows.flatMap((row) => (Array.isArray(row) ? [String(row[0])] : []));
}

/** XREAD's reply; what a foreign hand wrote is left out, its id too. */
function entriesOf(read: Reply | undefined): LogEntry[] | 'trimmed' {
  if (!Array.isArray(read)) return [];
  const [stream] = read;
  const rows = Array.isArray(stream) ? stream[1] : undefined;
  if (!Array.isArray(rows)) return [];
  const entries = rows.map((row) => {
    const [id, fields] = Array.isArray(row) ? row : [];
    return parseEntry(String(id), Array.isArray(fields) ? fields : []);
  });
  const ours = entries.filter((entry) => entry !== undefined);
  return ours.length === entries.length ? ours : 'trimmed';
}
