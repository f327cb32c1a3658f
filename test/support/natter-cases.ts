// The packet table: every rule of docs/translation.md as rows {packet in, reason, verdict, packet
// out, what is counted}. The reference model and the loaded program must both agree with each of
// them.
import type { NatterCase } from './natter-cases/case.ts';
import { entryCases } from './natter-cases/entry.ts';
import { errorCases } from './natter-cases/errors.ts';
import { oddErrorCases } from './natter-cases/errors-odd.ts';
import { forwardCases } from './natter-cases/forwards.ts';
import { transparentCases } from './natter-cases/transparent.ts';
import { wayOutCases } from './natter-cases/ways-out.ts';

export type { NatterCase } from './natter-cases/case.ts';
export * from './natter-cases/site.ts';

export const natterCases: readonly NatterCase[] = [
  ...entryCases,
  ...transparentCases,
  ...forwardCases,
  ...errorCases,
  ...oddErrorCases,
  ...wayOutCases,
];
