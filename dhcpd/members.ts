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
  #present = 1;
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

  /** How many have a heartbeat, whatever their state: who starts or drains may bind an offer. */
  get present(): number {
    return this.#present;
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
      const live = await this.#live(SERVICE);
      this.#present = namesOf(live, node).length;
      this.#all = namesOf(live.filter(isRunning), node);
      const near = this.#lan === undefined ? [] : await this.#live(this.#lan);
      this.#onLan = { names: namesOf(near.filter(isRunning), node), own: node };
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

  async #live(service: string): Promise<Member[]> {
    const members = await this.#options.store.members(service);
    return members.filter(({ ageMs }) => ageMs <= LIVE_MS);
  }

  #failed(error: unknown): void {
    if (!(error instanceof OperationalError)) throw error;
    this.#options.log.debug('heartbeat-failed', describeError(error), { error });
  }
}

const isRunning = ({ state }: Member): boolean => state === 'running';

function namesOf(members: readonly Member[], own: string): string[] {
  return [...new Set([...members.map(({ node }) => node), own])].sort();
}
