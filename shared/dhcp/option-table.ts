// The option table: what a code is called, how its value is written, which document says so; and
// which options are not an operator's to set. Pure.
import type { OptionRow } from './option-rows.ts';
import { basicOptions } from './options-basic.ts';
import { laterOptions } from './options-later.ts';

export const optionTable: readonly OptionRow[] = [...basicOptions, ...laterOptions].toSorted(
  (a, b) => a.code - b.code,
);

const byCode = new Map(optionTable.map((each) => [each.code, each]));
const byName = new Map(
  optionTable.flatMap((each) => [each.name, ...each.aliases].map((name) => [name, each] as const)),
);

/** Names an operator may write, aliases included. */
export const optionNames: readonly string[] = [...byName.keys()];

export function optionByCode(code: number): OptionRow | undefined {
  return byCode.get(code);
}

/** Undefined: no such name, and no number from 1 to 254. */
export function codeOfKey(key: string): number | undefined {
  if (/^[1-9]\d{0,2}$/.test(key)) return Number(key) <= 254 ? Number(key) : undefined;
  return byName.get(key)?.code;
}

/** A code without a name is its number. */
export function keyOfCode(code: number): string {
  return byCode.get(code)?.name ?? String(code);
}

export type Refusal = { message: string; remedy?: string };

const byServer = 'the server says it itself';
const byClient = 'only a client says it';
const byRelay = 'only a relay says it';
const byQuery =
  'it belongs to lease queries (RFC 4388, RFC 6926), which this server does not answer';

/**
 * 1 and 28 may be set: an operator may want /32 masks with routes; so may 60 (HTTP boot wants it
 * back) and 43.
 */
const refusals: ReadonlyMap<number, Refusal> = new Map([
  [0, { message: 'it is padding' }],
  [50, { message: byClient }],
  [51, { message: byServer, remedy: 'write lease' }],
  [52, { message: `${byServer}, when a message is full` }],
  [53, { message: byServer }],
  [54, { message: byServer }],
  [55, { message: byClient }],
  [56, { message: byServer }],
  [57, { message: byClient }],
  [58, { message: byServer, remedy: 'write lease: it follows from it' }],
  [59, { message: byServer, remedy: 'write lease: it follows from it' }],
  [61, { message: byClient }],
  [80, { message: byServer, remedy: 'write rapidCommit in the subnet' }],
  [81, { message: 'it answers what a client said there' }],
  [82, { message: byRelay }],
  [90, { message: 'the server does not authenticate messages (RFC 3118)' }],
  [91, { message: byQuery }],
  [92, { message: byQuery }],
  [93, { message: byClient }],
  [94, { message: byClient }],
  [97, { message: byClient }],
  [108, { message: byServer, remedy: 'write ipv6Only in the subnet' }],
  [118, { message: byClient }],
  [145, { message: byClient }],
  ...[151, 152, 153, 154, 155, 156, 157].map((code) => [code, { message: byQuery }] as const),
  [161, { message: byClient }],
  [220, { message: 'the server gives out addresses, not subnets (RFC 6656)' }],
  [221, { message: byClient }],
  [255, { message: 'it is the end of the options' }],
]);

/** Why an operator may not set an option; undefined: may. */
export function refusalOf(code: number): Refusal | undefined {
  return refusals.get(code);
}
