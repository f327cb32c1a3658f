// Who else serves: heartbeats of this instance, and the live members as the others' heartbeats say
// them; of the whole cluster, and of those that serve the same subnets on their links.

import { describeError, OperationalError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import type { Member, Store } from '../shared/store/types.ts';
import type { DhcpdEvent } from './events.ts';
import { SERVICE } from './name.ts';
import type { Members } from './server-types.ts';

/** A heartbeat this old is of a member that is gone or cut off. */
const LIVE_MS = 5000;

export type MembershipOptions = {
  store: Store;
  node: string;
  /** As heartbeated; without service. */
  self: () => Omit<Member, 'service'>;
  /** Names what is served on links; undefined: no link is. */
  lan: () => string | undefined;
  log: Log<DhcpdEvent>;
};

export class Membership {
  readonly #options: MembershipOptions;
  #all: readonly string[];
  #onLan: Members;
  #lan: string | undefined;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#all = [options.node];
    this.#onLan = { names: [options.node], own: options.node };
  }

  /** Of the service, itself among them. */
  get all(): readonly string[] {
    return this.#all;
  }

  /** Of the same LANs. */
  get onLan(): Members {
    return this.#onLan;
  }

  /** Says how this instance is, and looks who else is. */
  async beat(): Promise<void> {
    const { store, self, lan, node } = this.#options;
    try {
      const member = self();
      await store.heartbeat({ ...member, service: SERVICE });
      await this.#moveTo(lan());
      if (this.#lan !== undefined) await store.heartbeat({ ...member, service: this.#lan });
      this.#all = await this.#live(SERVICE);
      const onLan = this.#lan === undefined ? [node] : await this.#live(this.#lan);
      this.#onLan = { names: onLan, own: node };
    } catch (error) {
      this.#failed(error); // the members stay as they were last known
    }
  }

  async leave(): Promise<void> {
    const { store, node } = this.#options;
    try {
      await this.#moveTo(undefined);
      await store.leave(SERVICE, node);
    } catch (error) {
      this.#failed(error);
    }
  }

  async #moveTo(lan: string | undefined): Promise<void> {
    if (lan === this.#lan) return;
    const before = this.#lan;
    this.#lan = lan;
    if (before !== undefined) await this.#options.store.leave(before, this.#options.node);
  }

  async #live(service: string): Promise<string[]> {
    const { store, node } = this.#options;
    const members = await store.members(service);
    const others = members.filter(({ ageMs, state }) => ageMs <= LIVE_MS && state === 'running');
    return [...new Set([...others.map((one) => one.node), node])].sort();
  }

  #failed(error: unknown): void {
    if (!(error instanceof OperationalError)) throw error;
    this.#options.log.debug('heartbeat-failed', describeError(error), { error });
  }
}
