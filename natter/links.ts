// The links of a natter: its programs on them, and the prefixes that are inside.

import type { Bpf, BpfMap } from '../shared/bpf/types.ts';
import { Hooks } from '../shared/links/hook.ts';
import type { Host } from '../shared/links/host.ts';
import {
  type LinkPlan as AnyLinkPlan,
  Links as AnyLinks,
  type LinkRole,
  type LinksEvent,
} from '../shared/links/links.ts';
import type { Log } from '../shared/log.ts';
import type { Ipv4Prefix } from '../shared/net/prefix.ts';
import type { Datapath } from './datapath.ts';
import type { Layout } from './layout.ts';

export type LinkPlan = AnyLinkPlan & { insidePrefixes: readonly Ipv4Prefix[] };

export type LinksOptions = {
  bpf: Bpf;
  pinDirectory: string;
  datapath: Datapath;
  host: Host;
  log: Log<LinksEvent>;
  plan: LinkPlan;
};

/** Behind the filters that an operator puts at the usual low priorities. */
export const FILTER_PRIORITY = 157;

/** What runs at a link's ingress. */
export const INGRESS_PROGRAM: Record<LinkRole, string> = {
  uplink: 'natter_uplink',
  inside: 'natter_inside',
  both: 'natter_onearm',
};

export class Links extends AnyLinks {
  readonly #prefixes: BpfMap;
  readonly #layout: Layout;
  #insidePrefixes: readonly Ipv4Prefix[];

  constructor({ bpf, pinDirectory, datapath, host, log, plan }: LinksOptions) {
    super({
      hooks: new Hooks(bpf, pinDirectory, FILTER_PRIORITY),
      programs: {
        ingress: INGRESS_PROGRAM,
        egress: 'natter_egress',
        find: (name) => datapath.program(name),
      },
      roles: datapath.map('links'),
      host,
      log,
      plan,
    });
    this.#prefixes = datapath.map('internal_prefixes');
    this.#layout = datapath.layout;
    this.#insidePrefixes = plan.insidePrefixes;
  }

  override setPlan(plan: LinkPlan): void {
    super.setPlan(plan);
    this.#insidePrefixes = plan.insidePrefixes;
  }

  override attach(): void {
    this.#writeInsidePrefixes();
    super.attach();
  }

  #writeInsidePrefixes(): void {
    const map = this.#prefixes;
    const { prefixKey } = this.#layout;
    const text = (bits: number, address: number): string => `${address}/${bits}`;
    const wanted = new Map(
      this.#insidePrefixes.map(({ address, bits }) => [text(bits, address), { address, bits }]),
    );
    const stray: Uint8Array[] = [];
    for (const { keys, count } of map.batches()) {
      for (let at = 0; at < count; at += 1) {
        const key = keys.slice(at * map.keySize, (at + 1) * map.keySize);
        const { prefix_bits: bits, address } = prefixKey.decode(key);
        if (!wanted.has(text(bits, address))) stray.push(key);
      }
    }
    const present = new Uint8Array(map.valueSize).fill(1);
    for (const { address, bits } of wanted.values()) {
      map.update(prefixKey.encode({ prefix_bits: bits, address }), present);
    }
    for (const key of stray) map.delete(key);
  }
}
