// lb's packet table: what, packet in, what is known, verdict, packet out, what is counted and
// remembered. The model and the loaded programs are both held to it.
import type { LbCase } from './cases/case.ts';
import { connectionCases } from './cases/connections.ts';
import { dsrCases } from './cases/dsr.ts';
import { entryCases } from './cases/entry.ts';
import { errorCases } from './cases/errors.ts';
import { fragmentCases } from './cases/fragments.ts';
import { natCases } from './cases/nat.ts';

export { describeCase, type LbCase, placesOf, stateOf } from './cases/case.ts';

const groups: [string, LbCase[]][] = [
  ['entry', entryCases],
  ['nat', natCases],
  ['connections', connectionCases],
  ['dsr', dsrCases],
  ['fragments', fragmentCases],
  ['errors', errorCases],
];

export const lbCases: LbCase[] = groups.flatMap(([name, rows]) =>
  rows.map((one) => ({ ...one, what: `${name}: ${one.what}` })),
);
