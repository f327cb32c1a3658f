// Keeps the programs on the configured links: attaches them when a link is there or appears,
// replaces them in place, puts back what others removed, takes them from links that are configured
// no more.

import type { BpfMap, BpfProgram } from '../bpf/types.ts';
import { numberKey, readNumber } from '../bpf/words.ts';
import { OperationalError } from '../errors.ts';
import type { Log } from '../log.ts';
import { HOOKS, type Hook, type Hooks, otherHook, type Place } from './hook.ts';
import type { Host, HostLink } from './host.ts';

export type LinkPlan = {
  hook: Hook;
  uplink: readonly string[];
  inside: readonly string[];
};

export type LinkRole = 'uplink' | 'inside' | 'both';
export type LinkState = {
  name: string;
  role: LinkRole;
  /** Undefined: the link is not there. */
  link: HostLink | undefined;
  attached: boolean;
  /** At which the programs are attached; undefined: not yet by this run. */
  hook: Hook | undefined;
};

/** What a service declares among its events. */
export type LinksEvent = 'link-attached' | 'link-missing' | 'link-filter-replaced' | 'sysctl-set';

/** What is attached, by the names of a service's programs. */
export type LinkPrograms = {
  /** At a link's ingress. */
  ingress: Readonly<Record<LinkRole, string>>;
  /** At the egress of links that lead out. */
  egress: string;
  find(name: string): BpfProgram;
};

export type LinksOptions = {
  hooks: Hooks;
  programs: LinkPrograms;
  /** ifindex -> role (1 uplink, 2 inside, 3 both): for the programs, and for the next run. */
  roles: BpfMap;
  host: Host;
  log: Log<LinksEvent>;
  plan: LinkPlan;
};

const ROLE_BITS: Record<LinkRole, number> = { uplink: 1, inside: 2, both: 3 };

export class Links {
  readonly #hooks: Hooks;
  readonly #programs: LinkPrograms;
  readonly #roles: BpfMap;
  readonly #host: Host;
  readonly #log: Log<LinksEvent>;
  #plan: LinkPlan;
  #states: LinkState[] = [];
  #local = new Set<number>();
  #attached = new Set<number>(); // ifindexes on which this process has attached

  constructor({ hooks, programs, roles, host, log, plan }: LinksOptions) {
    this.#hooks = hooks;
    this.#programs = programs;
    this.#roles = roles;
    this.#host = host;
    this.#log = log;
    this.#plan = plan;
  }

  get states(): readonly LinkState[] {
    return this.#states;
  }

  /** Addresses of this host, as of the last look. */
  get localAddresses(): ReadonlySet<number> {
    return this.#local;
  }

  get missing(): string[] {
    return this.#states.filter(({ attached }) => !attached).map(({ name }) => name);
  }

  /** A role of which no link can carry anything: what came in by the others would be lost. */
  get dark(): string[] {
    return (['uplink', 'inside'] as const).filter((role) => {
      const able = this.#states.filter((state) => state.role === role || state.role === 'both');
      return able.length > 0 && !able.some(({ link }) => link?.up === true);
    });
  }

  setPlan(plan: LinkPlan): void {
    this.#plan = plan;
  }

  /** Looks at the links without touching them. */
  async look(): Promise<void> {
    const links = await this.#host.links();
    this.#local = new Set(links.flatMap(({ addresses }) => addresses.map((one) => one.address)));
    const before = new Map(this.#states.map((state) => [state.name, state]));
    const names = new Set([...this.#plan.uplink, ...this.#plan.inside]);
    this.#states = [...names].map((name) => {
      const link = links.find((one) => one.name === name);
      const known = before.get(name);
      const same = known !== undefined && known.link?.ifindex === link?.ifindex;
      if (link === undefined && known?.link !== undefined) this.#tellMissing(name);
      const attached = same && known.attached && known.role === this.#roleOf(name);
      const hook = same ? known.hook : undefined;
      return { name, role: this.#roleOf(name), link, attached, hook };
    });
  }

  /** Attaches where the filter is not ours, or not of this run. Call `look` before. */
  attach(): void {
    this.#writeRoles();
    for (const state of this.#states) {
      const { link, name, role } = state;
      if (link === undefined) {
        if (!state.attached) this.#tellMissing(name);
        continue;
      }
      this.#settings(link, role);
      this.#attachAt(this.#plan.hook, state, link);
    }
  }

  /** Takes the programs from every link that an earlier run or this one attached them to. */
  detach(): void {
    for (const ifindex of this.#knownIndexes()) this.#detachFrom(ifindex);
    for (const { link } of this.#states) if (link !== undefined) this.#detachFrom(link.ifindex);
    this.#states = this.#states.map((state) => ({ ...state, attached: false, hook: undefined }));
  }

  /** What is new is in before what stands at the other hook goes: hook.ts. */
  #attachAt(hook: Hook, state: LinkState, link: HostLink): void {
    const { name, role, attached: before } = state;
    const moves = state.hook !== hook;
    const places = this.#places(link, role);
    const stray = places.filter((place) => this.#isStray(hook, place));
    // Until it has worked, for what follows may throw. While it moves, the other hook's go on.
    state.attached = stray.length === 0 || (before && moves);
    for (const [place, program] of stray) {
      this.#hooks.attach(hook, place, this.#programs.find(program));
    }
    if (stray.some((place) => this.#isStray(hook, place))) throw notHeld(name, hook);
    if (moves || stray.length > 0) this.#hooks.detach(otherHook(hook), link.ifindex);
    if (moves || !before) {
      this.#log.info('link-attached', `${name}: ${role}, at ${hook}`, { link: name, role, hook });
    } else if (stray.length > 0) {
      this.#log.warn('link-filter-replaced', `${name}: put the programs back`, { link: name });
    }
    this.#attached.add(link.ifindex);
    state.attached = true;
    state.hook = hook;
  }

  #isStray(hook: Hook, [place, program]: [Place, string]): boolean {
    return this.#hooks.programId(hook, place) !== this.#programs.find(program).id;
  }

  #roleOf(name: string): LinkRole {
    if (!this.#plan.inside.includes(name)) return 'uplink';
    return this.#plan.uplink.includes(name) ? 'both' : 'inside';
  }

  #places({ ifindex }: HostLink, role: LinkRole): [Place, string][] {
    const ingress: [Place, string] = [
      { ifindex, direction: 'ingress' },
      this.#programs.ingress[role],
    ];
    if (role === 'inside') return [ingress];
    // The way out first: what comes in can then be answered.
    return [[{ ifindex, direction: 'egress' }, this.#programs.egress], ingress];
  }

  #detachFrom(ifindex: number): void {
    for (const hook of HOOKS) this.#hooks.detach(hook, ifindex);
    this.#attached.delete(ifindex);
  }

  /** Links in the kernel's own list, which outlives the daemon. */
  #knownIndexes(): number[] {
    const { keySize } = this.#roles;
    const indexes: number[] = [];
    for (const { keys, count } of this.#roles.batches()) {
      for (let at = 0; at < count; at += 1) indexes.push(readNumber(keys, at * keySize));
    }
    return indexes;
  }

  #writeRoles(): void {
    const wanted = new Map<number, LinkRole>();
    for (const { link, role } of this.#states) if (link) wanted.set(link.ifindex, role);
    for (const ifindex of this.#knownIndexes()) {
      if (wanted.has(ifindex)) continue;
      this.#detachFrom(ifindex);
      this.#roles.delete(numberKey(ifindex));
    }
    for (const [ifindex, role] of wanted) {
      this.#roles.update(numberKey(ifindex), numberKey(ROLE_BITS[role]));
    }
  }

  /**
   * What the stack's own part of the path needs: forwarding, no reverse-path filter, no redirects.
   */
  #settings(link: HostLink, role: LinkRole): void {
    const conf = (name: string, setting: string) => `net/ipv4/conf/${name}/${setting}`;
    this.#set('net/ipv4/ip_forward', '1');
    // The kernel takes the larger of `all` and the link's own: where all says 1, loose is the
    // least.
    const all = this.#host.readSysctl(conf('all', 'rp_filter'));
    this.#set(conf(link.name, 'rp_filter'), all === '0' || all === undefined ? '0' : '2');
    if (role !== 'both') return;
    // A redirect would tell a host inside to go round us.
    this.#set(conf('all', 'send_redirects'), '0');
    this.#set(conf(link.name, 'send_redirects'), '0');
  }

  #set(name: string, value: string): void {
    const before = this.#host.readSysctl(name);
    if (before === undefined || before === value) return;
    this.#host.writeSysctl(name, value);
    this.#log.info('sysctl-set', `${name}: ${before} is now ${value}`, { name, before, value });
  }

  #tellMissing(name: string): void {
    this.#log.warn('link-missing', `${name}: there is no such link`, { link: name });
  }
}

function notHeld(name: string, hook: Hook): OperationalError {
  if (hook === 'tcx') return new OperationalError('EDGE_BPF_ATTACH', `${name}: tcx did not hold`);
  // An `ingress` qdisc has one list of filters for both directions: one program ousts the other.
  return new OperationalError('EDGE_BPF_ATTACH', `${name}: its qdisc is not clsact`, {
    remedy: `tc qdisc del dev ${name} ingress; the programs then make their own`,
  });
}
