// All members whose pages can be asked for: who they are follows the store and our settings; a few
// are read at once, and who is slow delays nobody.
import type { Clock } from '../../shared/clock.ts';
import { parseEndpoint } from '../../shared/net/ports.ts';
import { isService, type Service } from '../../shared/site/place.ts';
import { MemberReader } from './member.ts';
import { NAME_CHARACTERS } from './shapes.ts';
import type { Heard, Reading } from './types.ts';

const MOST = 500;
const AT_ONCE = 16;
/** Of a member that is silent for longer, nobody asks. */
const LIVE_MS = 10_000;

export type Configured = { service: Service; node: string; address: string };

export type MembersOptions = {
  configured: readonly Configured[];
  token?: string;
  clock: Clock;
  signal: AbortSignal;
};

export class Members {
  configured: readonly Configured[];
  readonly #options: MembersOptions;
  readonly #readers = new Map<string, MemberReader>();

  constructor(options: MembersOptions) {
    this.#options = options;
    this.configured = options.configured;
  }

  /** Reads all that are live; resolves with the last one, or after `budgetMs`. */
  async read(heard: readonly Heard[], budgetMs: number): Promise<void> {
    const { clock, signal } = this.#options;
    this.#reconcile(heard);
    const waiting = [...this.#readers.values()];
    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
        await next.read();
    };
    const all = Promise.all(Array.from({ length: AT_ONCE }, worker));
    const over = new AbortController();
    const deadline = clock.sleep(budgetMs, AbortSignal.any([signal, over.signal])).catch(() => {});
    await Promise.race([all, deadline]);
    over.abort();
  }

  readings(heard: readonly Heard[]): Reading[] {
    const known = new Map<string, { service: Service; node: string; heard: Heard | undefined }>();
    for (const { service, node } of this.configured) {
      known.set(`${service}/${node}`, { service, node, heard: undefined });
    }
    for (const one of heard) {
      const { service, node } = one;
      if (isService(service)) known.set(`${service}/${node}`, { service, node, heard: one });
    }
    return [...known].map(([key, who]) => {
      const reader = this.#readers.get(key);
      const address = reader?.options.address ?? who.heard?.address;
      const nothing = { ageMs: null, pages: new Map(), problems: new Map(), rated: [] };
      return { ...who, address, ...(reader?.reading() ?? nothing) };
    });
  }

  #reconcile(heard: readonly Heard[]): void {
    const wanted = new Map<string, Configured>();
    for (const { service, node, address, ageMs } of heard) {
      if (address === undefined || ageMs > LIVE_MS || !isService(service)) continue;
      if (node.length > NAME_CHARACTERS || parseEndpoint(address) === undefined) continue;
      wanted.set(`${service}/${node}`, { service, node, address });
    }
    for (const each of this.configured) wanted.set(`${each.service}/${each.node}`, each);
    const asked = new Map([...wanted].slice(0, MOST));
    for (const [key, { options }] of this.#readers) {
      if (asked.get(key)?.address !== options.address) this.#readers.delete(key);
    }
    const { token, clock, signal } = this.#options;
    for (const [key, each] of asked) {
      if (this.#readers.has(key)) continue;
      const credentials = token === undefined ? {} : { token };
      this.#readers.set(key, new MemberReader({ ...each, ...credentials, clock, signal }));
    }
  }
}
