// Names of a zone that have no records, because policy makes their answers, and what a transfer
// says of them: a smart name what line default gets, an ALIAS its target's addresses of the moment.
// Pure.
import { TYPES } from '../../shared/dns/constants.ts';
import type { Name } from '../../shared/dns/types.ts';
import {
  H_TABLE,
  H_TABLE_MASK,
  N_RRSETS,
  NODE_ALIAS,
  R_BYTES,
  R_COUNT,
  R_NEXT,
  R_TYPE,
  SMART,
} from '../image/layout.ts';
import type { ImageRecord } from '../image/records.ts';
import type { SmartName, ZoneImage } from '../image/types.ts';
import { ZoneView } from '../image/view.ts';
import type { SmartAnswer } from '../policy/types.ts';

export type MadeNames = { smart: readonly SmartName[]; aliases: readonly Name[] };

const known = new WeakMap<SharedArrayBuffer, MadeNames>();

/** Pairs of an image's table between two yields: some milliseconds. */
const PIECE_PAIRS = 10_000;

/** In no order. Searched for once in each image. */
export function* madeNames(image: ZoneImage): Generator<void, MadeNames> {
  const before = known.get(image.memory);
  if (before !== undefined) return before;
  const found = { smart: [], aliases: [] };
  const view = new ZoneView(image);
  if (!view.isServed) return found;
  const table = view.word(H_TABLE);
  const pairs = view.word(H_TABLE_MASK) + 1;
  for (let pair = 0; pair < pairs; pair++) {
    const node = view.word(table + 2 * pair + 1);
    if (node !== 0) addNode(found, view, node);
    if (pair % PIECE_PAIRS === PIECE_PAIRS - 1) yield;
  }
  known.set(image.memory, found);
  return found;
}

function addNode(found: { smart: SmartName[]; aliases: Name[] }, view: ZoneView, node: number) {
  const nameAt = view.nameAt(node);
  const owner = () => view.bytes.slice(nameAt, nameAt + view.nameLength(node));
  if ((view.flags(node) & NODE_ALIAS) !== 0) found.aliases.push(owner());
  for (let rrset = view.word(node + N_RRSETS); rrset !== 0; rrset = view.word(rrset + R_NEXT)) {
    const type = view.word(rrset + R_TYPE);
    if (view.word(rrset + R_COUNT) !== SMART || type === TYPES.ALIAS) continue;
    found.smart.push({ owner: owner(), type, index: view.word(rrset + R_BYTES) });
  }
}

/** All that line default is answered, whatever the slot; of a CNAME the first. */
export function defaultRecords(
  { owner, type, index }: SmartName,
  answers: readonly SmartAnswer[],
): ImageRecord[] {
  const answer = answers[index];
  const choice = answer?.choices[answer.choiceOfLine[0] ?? 0];
  if (choice === undefined) return [];
  const { ttlSeconds } = choice;
  const byText = new Map(choice.answers.flat().map((rdata) => [rdata.join('.'), rdata]));
  const all = [...byText.values()].map((rdata) => ({ owner, type, ttlSeconds, rdata }));
  return type === TYPES.CNAME ? all.slice(0, 1) : all;
}
