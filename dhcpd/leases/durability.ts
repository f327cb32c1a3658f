// When a write may be promised: docs/leases.md §6. `auto` looks at the servers, each of which has
// to do what is found.
import { OperationalError } from '../../shared/errors.ts';
import { parseInfo } from '../../shared/store/inspect.ts';
import { type Call, isRefusal, type Link, type Reply } from '../../shared/store/link.ts';

export type Durability =
  | { by: 'fsync' }
  | { by: 'replicas'; count: number }
  | { by: 'waitaof' }
  | { by: 'none' };

/** How long Redis may wait for others; what they have not done by then is not durable. */
export const WAIT_MS = 1000;

const remedy =
  'set appendonly yes and appendfsync always, or connect a replica, or name durability in the ' +
  'configuration';

export class Proof {
  /** What follows a write on its connection. */
  readonly calls: readonly Call[];
  readonly #by: Durability;
  readonly #kept = new WeakMap<Link, Promise<boolean>>();

  constructor(durability: Durability) {
    this.#by = durability;
    this.calls = [];
    if (durability.by === 'replicas') this.calls = [['WAIT', durability.count, WAIT_MS]];
    if (durability.by === 'waitaof') this.calls = [['WAITAOF', 1, 0, WAIT_MS]];
  }

  /** The server answers nobody, followers neither, before what it says is durable. */
  get isByReply(): boolean {
    return this.calls.length === 0;
  }

  /** Whether the replies to `calls` say that enough servers hold the write. */
  counts(replies: readonly Reply[]): boolean {
    const [reply] = replies;
    if (this.#by.by === 'replicas') return typeof reply === 'number' && reply >= this.#by.count;
    if (this.#by.by === 'waitaof') return Array.isArray(reply) && Number(reply[0]) >= 1;
    return true;
  }

  /**
   * With `fsync`: whether this server, maybe a replica until just now, syncs as the one that was
   * looked at. One that does not say is believed: the operator has named it.
   */
  async keeps(link: Link, timeoutMs: number): Promise<boolean> {
    if (this.#by.by !== 'fsync') return true;
    const known = this.#kept.get(link);
    if (known !== undefined) return known;
    const asked = inspectServer(link, timeoutMs).then(({ fsync }) => fsync !== false);
    this.#kept.set(link, asked);
    return asked;
  }
}

export async function inspectDurability(
  links: readonly Link[],
  timeoutMs: number,
): Promise<Durability> {
  const seen = await Promise.all(links.map((link) => inspectServer(link, timeoutMs)));
  if (seen.length > 0 && seen.every(({ fsync }) => fsync === true)) return { by: 'fsync' };
  if (seen.length > 0 && seen.every(({ replicas }) => replicas > 0)) {
    return { by: 'replicas', count: 1 };
  }
  if (seen.length > 0 && seen.every(({ waitaof }) => waitaof)) return { by: 'waitaof' };
  const hidden = seen.some(({ fsync }) => fsync === undefined);
  const what = hidden
    ? 'the store does not tell whether it keeps what it acknowledged: INFO or CONFIG GET is ' +
      'forbidden'
    : 'the store may lose what it acknowledged';
  const options = hidden
    ? { remedy: 'name durability in the configuration: fsync, replicas or waitaof' }
    : { remedy };
  throw new OperationalError('EDGE_DHCPD_DURABILITY', what, options);
}

/** `fsync` undefined: it does not say. */
type Seen = { fsync: boolean | undefined; replicas: number; waitaof: boolean };

async function inspectServer(link: Link, timeoutMs: number): Promise<Seen> {
  const calls: Call[] = [['INFO'], ['CONFIG', 'GET', 'append*']];
  const [info, config] = await link.run(calls, timeoutMs);
  const isRead = info instanceof Uint8Array;
  if (!isRead && !isRefusal(info, 'NOPERM') && !isRefusal(info, 'ERR')) {
    throw new OperationalError('EDGE_STORE_FAILED', 'the store failed', { cause: info });
  }
  const facts = parseInfo(isRead ? String(info) : '');
  const settings = Array.isArray(config) ? config.map(String) : undefined;
  const setting = (name: string) => settings?.[settings.indexOf(name) + 1];
  const always = setting('appendonly') === 'yes' && setting('appendfsync') === 'always';
  return {
    fsync: settings === undefined ? undefined : always,
    replicas: onlineReplicas(facts),
    waitaof: facts.get('aof_enabled') === '1' && isAtLeast(facts.get('redis_version'), 7, 2),
  };
}

/** Connected and past their first synchronization. */
function onlineReplicas(facts: ReadonlyMap<string, string>): number {
  return [...facts].filter(([name, value]) => /^slave\d+$/.test(name) && /state=online/.test(value))
    .length;
}

function isAtLeast(version: string | undefined, major: number, minor: number): boolean {
  const [is = 0, and = 0] = (version ?? '0.0').split('.').map(Number);
  return is > major || (is === major && and >= minor);
}
