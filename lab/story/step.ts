// What `npm start` shows is a list of steps, each a list of checks: a client that does something,
// and what came of it.
import type { Site } from '../site.ts';
import type { Passed } from '../witness.ts';

export type Outcome = { ok: boolean; result: string };

export type Check = {
  what: string;
  path: string;
  run: () => Promise<Outcome>;
  /** Which natters its packets go through is counted at the routers, and told. */
  counted?: boolean;
};

export type Step = { title: string; checks: readonly Check[] };

/** `passed`: of a check that is counted. */
export type Report = Outcome & { what: string; path: string; passed?: Passed };

/** The ISPs' clients in turn: a site has one, or many. */
export const clientOf = (site: Site, isp: number) => site.client(1 + (isp % site.clients.length));
