// The two hooks that programs can be attached at: filters at tc, which `tc filter show` lists, and
// tcx links, which cost a packet less and need Linux 6.6. Where both hold ours, only tcx runs: our
// verdicts are final, and tcx comes first. So a change of hook neither misses a packet nor
// translates one twice, as long as the new program is in before the old one is taken away.

import { join } from 'node:path';
import { BpfError } from '../bpf/failure.ts';
import type { Bpf, BpfProgram, TcPlace, TcxPlace } from '../bpf/types.ts';

export const HOOKS = ['tc', 'tcx'] as const;
export type Hook = (typeof HOOKS)[number];
export const otherHook = (hook: Hook): Hook => (hook === 'tc' ? 'tcx' : 'tc');

export type Place = { ifindex: number; direction: 'ingress' | 'egress' };

const HANDLE = 1;
const DIRECTIONS = ['ingress', 'egress'] as const;

export class Hooks {
  readonly #bpf: Bpf;
  readonly #pinDirectory: string;
  readonly #priority: number;

  /** `priority`: of the filters at tc. Each service has its own, so that two can have one link. */
  constructor(bpf: Bpf, pinDirectory: string, priority: number) {
    this.#bpf = bpf;
    this.#pinDirectory = pinDirectory;
    this.#priority = priority;
  }

  attach(hook: Hook, place: Place, program: BpfProgram): void {
    if (hook === 'tc') this.#bpf.attachTc(this.#tcPlace(place), program);
    else this.#bpf.attachTcx(this.#tcxPlace(place), program);
  }

  /** The kernel's number of what is attached there. */
  programId(hook: Hook, place: Place): number | undefined {
    if (hook === 'tc') return this.#bpf.queryTc(this.#tcPlace(place))?.programId;
    return this.#bpf.queryTcx(this.#tcxPlace(place))?.programId;
  }

  /** Takes our programs from a link; others' stay. A link that is gone took filters with it. */
  detach(hook: Hook, ifindex: number): void {
    for (const direction of DIRECTIONS) {
      try {
        if (hook === 'tc') this.#bpf.detachTc(this.#tcPlace({ ifindex, direction }));
        else this.#bpf.detachTcx(this.#tcxPlace({ ifindex, direction }));
      } catch (error) {
        if (!(error instanceof BpfError) || error.errno !== 'ENODEV') throw error;
      }
    }
  }

  #tcxPlace({ ifindex, direction }: Place): TcxPlace {
    const pin = join(this.#pinDirectory, 'tcx', `${ifindex}-${direction}`);
    return { ifindex, direction, pin };
  }

  #tcPlace({ ifindex, direction }: Place): TcPlace {
    return { ifindex, direction, handle: HANDLE, priority: this.#priority };
  }
}
