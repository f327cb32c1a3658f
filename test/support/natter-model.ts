// Runs the reference model in the packet table's world.
import { type Environment, type Table, type Translation, translate } from '../../natter/mapping.ts';
import type { NatterCase } from './natter-cases.ts';
import { LIMITED, type LinkName, siteFib, siteTable } from './natter-cases.ts';

export const UNIT_IFINDEX: Record<LinkName, number> = {
  uplink: 2,
  inside: 3,
  narrow: 4,
  onearm: 5,
};

/** What of a row the model needs; a packet that came by its link's MAC if nothing else is said. */
export type ModelInput = Pick<NatterCase, 'program' | 'link' | 'frame'> & Partial<NatterCase>;

export interface SiteModel {
  table: Table;
  run(input: ModelInput): Translation;
}

/** The site for these interface numbers; at time 0, with the fragments that a row knows. */
export function createSiteModel(ifindex: Record<LinkName, number> = UNIT_IFINDEX): SiteModel {
  const table = siteTable(ifindex);
  const fib = siteFib(ifindex);
  const run = (input: ModelInput): Translation => {
    const { segments } = input;
    const environment: Environment = {
      ifindex: ifindex[input.link],
      isHost: input.isHost ?? true,
      hostMade: input.hostMade ?? false,
      translated: input.translated ?? false,
      nowNs: 0,
      fib,
      limit: (slot) => LIMITED[slot],
      ...(segments && { segments }),
    };
    const known = { ...table, fragments: input.fragments ?? [] };
    return translate(known, input.program, input.frame, environment);
  };
  return { table, run };
}
