// What can become of a message: each has exactly one of these ends, and each end is a counter.
// Pure.
import { RCODES } from '../../shared/dns/constants.ts';

const { NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, YXDOMAIN } = RCODES;
const { BADVERS, BADCOOKIE } = RCODES;

/** The rcode that goes with it, or that nothing is sent. */
export const SILENT = -1;
export const TO_CONTROL_PLANE = -2;

/** Names as in the metric's `outcome`; a row's place is the outcome's number. */
// biome-ignore format: a row each
const ROWS = [
  ['answered', NOERROR],
  ['no-data', NOERROR],
  ['nxdomain', NXDOMAIN],
  ['delegated', NOERROR],
  ['yxdomain', YXDOMAIN],
  ['truncated', NOERROR],
  ['chaos', NOERROR],
  ['cookie-given', NOERROR],
  ['slipped', NOERROR],
  ['cookie-wanted', NOERROR],
  ['refused-zone', REFUSED],
  ['refused-class', REFUSED],
  ['servfail', SERVFAIL],
  ['servfail-exception', SERVFAIL],
  ['notimp-opcode', NOTIMP],
  ['notimp-type', NOTIMP],
  ['formerr-questions', FORMERR],
  ['formerr-sections', FORMERR],
  ['formerr-qname', FORMERR],
  ['formerr-type', FORMERR],
  ['formerr-record', FORMERR],
  ['formerr-trailing', FORMERR],
  ['formerr-opt', FORMERR],
  ['formerr-ecs', FORMERR],
  ['formerr-cookie', FORMERR],
  ['badvers', BADVERS],
  ['badcookie', BADCOOKIE],
  ['other-rcode', SERVFAIL],
  ['dropped-short', SILENT],
  ['dropped-response', SILENT],
  ['dropped-port-zero', SILENT],
  ['rate-limited', SILENT],
  ['referred-opcode', TO_CONTROL_PLANE],
  ['referred-transfer', TO_CONTROL_PLANE],
  ['referred-tsig', TO_CONTROL_PLANE],
] as const;

export type OutcomeName = (typeof ROWS)[number][0];

export const OUTCOME_NAMES: readonly OutcomeName[] = ROWS.map(([name]) => name);

/** Numbers of the outcomes, by name. */
export const OUTCOME = Object.fromEntries(ROWS.map(([name], index) => [name, index])) as Readonly<
  Record<OutcomeName, number>
>; // one key a row

const rcodes = Int8Array.from(ROWS, ([, rcode]) => rcode);

/** What is sent with an outcome that does not come from the zones' data. */
export function rcodeOfOutcome(outcome: number): number {
  return rcodes[outcome] ?? SERVFAIL;
}
