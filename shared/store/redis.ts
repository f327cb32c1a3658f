// The store in Redis, 6.2 or later: a server, a Sentinel group or a cluster.
import { OperationalError } from '../errors.ts';
import { acceptChanges, changeOf, recordOf } from './changes.ts';
import { StoreClient } from './client.ts';
import type { StoreConfig } from './connection.ts';
import { createClient, DEFAULT_COMMAND_TIMEOUT_MS } from './connection.ts';
import { countOf, headOf, isDigest, memberOf } from './damage.ts';
import { inspectServers } from './inspect.ts';
import { memberKeys, unitKeys } from './keys.ts';
import { conflict } from './memory-unit.ts';
import { loadScript, runReadOnly, runScript } from './script.ts';
import type {
  ApplyOptions,
  ApplyResult,
  Change,
  Head,
  Member,
  ObjectRecord,
  ServerFacts,
  Store,
  StreamEntry,
} from './types.ts';
import type { StoreAddress } from './url.ts';

const MAX_STREAM_ENTRIES = 20_000;
const MAX_STREAM_CHANGES = 200_000;
const ENTRIES_PER_READ = 64;
const SCAN_COUNT = 4000;
/** It quotes what was refused, which a foreign hand may have made long. */
const MAX_DRIFT = 4096;

const scripts = {
  apply: loadScript('apply'),
  heartbeat: loadScript('heartbeat'),
  leave: loadScript('leave'),
  members: loadScript('members'),
  raise: loadScript('raise'),
};

/** Connects when first used; a store that is down makes calls fail, not the opening. */
export class RedisStore implements Store {
  readonly #address: Exclude<StoreAddress, { kind: 'embedded' }>;
  readonly #config: StoreConfig;
  readonly #timeoutMs: number;
  readonly #commands: StoreClient;
  readonly #readers = new Map<string, StoreClient>();

  constructor(address: Exclude<StoreAddress, { kind: 'embedded' }>, config: StoreConfig) {
    this.#address = address;
    this.#config = config;
    this.#timeoutMs = config.commandTimeoutMs ?? DEFAULT_COMMAND_TIMEOUT_MS;
    this.#commands = new StoreClient(
      () => createClient(address, config, 'commands'),
      this.#timeoutMs,
    );
  }

  async head(unit: string): Promise<Head> {
    const names = ['version', 'digest', 'count', 'tail'];
    const fields = await this.#commands.run((client) =>
      client.hmget(unitKeys(unit).head, ...names),
    );
    return headOf(unit, fields);
  }

  async apply(
    unit: string,
    changes: readonly Change[],
    options: ApplyOptions = {},
  ): Promise<ApplyResult> {
    const { head, objects, changes: stream } = unitKeys(unit);
    const expected = options.expectedVersion;
    const argv = [
      expected === undefined ? '' : String(expected),
      options.author ?? '',
      String(MAX_STREAM_ENTRIES),
      String(MAX_STREAM_CHANGES),
    ];
    for (const [field, change] of acceptChanges(changes)) argv.push(field, change.value ?? '');
    const reply = await this.#commands.run((client) =>
      runScript(client, scripts.apply, [head, objects, stream], argv),
    );
    const [version = 0, changed = 0] = reply as number[]; // as the script's header says
    if (version === -1) throw conflict(expected ?? 0, changed);
    if (version < 0) throw new OperationalError('EDGE_STORE_BAD_CHANGE', 'too many changes');
    return { version, changed };
  }

  async raise(
    unit: string,
    version: number,
    { expectedVersion, author }: { expectedVersion: number; author?: string },
  ): Promise<number> {
    const { head, changes } = unitKeys(unit);
    const argv = [expectedVersion, version, author ?? '', MAX_STREAM_ENTRIES].map(String);
    const reply = await this.#commands.run((client) =>
      runScript(client, scripts.raise, [head, changes], argv),
    );
    const [raised = 0, found = 0] = reply as number[]; // as the script's header says
    if (raised === -1) throw conflict(expectedVersion, found);
    return raised;
  }

  /** The next page is asked for before the last one is handed out, so that both sides work. */
  async *scan(unit: string): AsyncGenerator<ObjectRecord[]> {
    const key = unitKeys(unit).objects;
    const page = (cursor: string) =>
      this.#commands.run((client) => client.hscan(key, cursor, 'COUNT', SCAN_COUNT));
    let next: ReturnType<typeof page> | undefined = page('0');
    while (next !== undefined) {
      const [cursor, fields]: [string, string[]] = await next;
      next = cursor === '0' ? undefined : page(cursor);
      next?.catch(() => {}); // a consumer that stops early leaves it behind; awaited otherwise
      const records: ObjectRecord[] = [];
      for (let i = 0; i + 1 < fields.length; i += 2) {
        records.push(recordOf(fields[i] ?? '', fields[i + 1] ?? ''));
      }
      yield records;
    }
  }

  async get(unit: string, kind: string, id: string): Promise<string | undefined> {
    const key = unitKeys(unit).objects;
    return (await this.#commands.run((client) => client.hget(key, `${kind}:${id}`))) ?? undefined;
  }

  async read(
    unit: string,
    afterId: string,
    blockMs: number,
    signal: AbortSignal,
  ): Promise<StreamEntry[] | 'trimmed'> {
    signal.throwIfAborted();
    const key = unitKeys(unit).changes;
    const reader = this.#reader(unit);
    const stop = () => this.#dropReader(unit);
    signal.addEventListener('abort', stop, { once: true });
    try {
      const reply = await reader.runBlocking(
        (client) =>
          client.xread(
            'COUNT',
            ENTRIES_PER_READ,
            'BLOCK',
            Math.max(1, Math.ceil(blockMs)),
            'STREAMS',
            key,
            afterId,
          ),
        blockMs + this.#timeoutMs,
      );
      return entriesOf(reply?.[0]?.[1] ?? [], afterId);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  async heartbeat(member: Member): Promise<void> {
    const { seen, nodes } = memberKeys(member.service);
    const { drift } = member;
    const told = drift === undefined ? member : { ...member, drift: drift.slice(0, MAX_DRIFT) };
    const argv = [member.node, JSON.stringify(told)];
    await this.#commands.run((client) => runScript(client, scripts.heartbeat, [seen, nodes], argv));
  }

  async members(service: string): Promise<(Member & { ageMs: number })[]> {
    const { seen, nodes } = memberKeys(service);
    const reply = (await this.#commands.run((client) =>
      runReadOnly(client, scripts.members, [seen, nodes]),
    )) as (string | number)[]; // as the script's header says
    const members: (Member & { ageMs: number })[] = [];
    for (let i = 0; i + 1 < reply.length; i += 2) {
      const member = memberOf(String(reply[i]), service);
      if (member !== undefined) members.push({ ...member, ageMs: Number(reply[i + 1]) });
    }
    return members.sort((a, b) => (a.node < b.node ? -1 : 1));
  }

  async leave(service: string, node: string): Promise<void> {
    const { seen, nodes } = memberKeys(service);
    await this.#commands.run((client) => runScript(client, scripts.leave, [seen, nodes], [node]));
  }

  inspect(): Promise<ServerFacts[]> {
    return this.#commands.run(inspectServers);
  }

  async ping(): Promise<void> {
    await this.#commands.run((client) => client.ping());
  }

  async close(): Promise<void> {
    this.#commands.close();
    for (const unit of [...this.#readers.keys()]) this.#dropReader(unit);
  }

  #reader(unit: string): StoreClient {
    let reader = this.#readers.get(unit);
    if (reader === undefined) {
      const create = () => createClient(this.#address, this.#config, 'blocking');
      reader = new StoreClient(create, this.#timeoutMs);
      this.#readers.set(unit, reader);
    }
    return reader;
  }

  #dropReader(unit: string): void {
    this.#readers.get(unit)?.close();
    this.#readers.delete(unit);
  }
}

/** Every entry names the one before it: what does not join on to `afterId` leaves a gap. */
function entriesOf(raw: [string, string[]][], afterId: string): StreamEntry[] | 'trimmed' {
  let previousId = afterId;
  const entries: StreamEntry[] = [];
  for (const [id, parts] of raw) {
    const meta = new Map<string, string>();
    const changes: Change[] = [];
    for (let i = 0; i + 1 < parts.length; i += 2) {
      const [name = '', value = ''] = [parts[i], parts[i + 1]];
      // A change is named kind:id; a name without colon that is not known is of a newer apply.lua.
      if (name.includes(':')) changes.push(changeOf(name, value));
      else meta.set(name, value);
    }
    const [version, count] = [countOf(meta.get('v') ?? ''), countOf(meta.get('n') ?? '')];
    const [digestBefore = '', digest = ''] = [meta.get('b'), meta.get('d')];
    const isOurs = version !== undefined && count !== undefined && isDigest(digest);
    if (meta.get('p') !== previousId || !isOurs) return 'trimmed';
    previousId = id;
    entries.push({ id, version, count, digestBefore, digest, changes });
  }
  return entries;
}
