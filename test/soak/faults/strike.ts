// What a fault is when it is done: it strikes, is held by the run, and is healed.
import type { LabDaemon } from '../../../lab/daemon.ts';
import type { Planned } from '../schedule.ts';
import type { SoakSite } from '../site.ts';

export type Struck = {
  victim: string;
  /** Daemons that end by it, or may end. */
  struck: readonly string[];
  heal: () => Promise<void>;
};

export type Strike = (site: SoakSite, planned: Planned) => Promise<Struck>;

/** The daemon that is meant; of Redis there is none. */
export function victimOf({ daemons }: SoakSite, { kind, which }: Planned): LabDaemon {
  const found = daemons.filter(({ service }) => service.name === kind)[which - 1];
  if (found === undefined) throw new RangeError(`no ${kind} ${which}`);
  return found;
}
