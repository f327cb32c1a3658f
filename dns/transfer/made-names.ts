// Names of a zone that have no records, because policy makes their answers, and what a transfer says
// of them: a smart name what line default gets, an ALIAS its target's addresses of the moment. Pure.
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

/** In no order. Found once for each image. */
export function madeNames(image: ZoneImage): MadeNames {
  const before = known.get(image.memory);
  if (before !== undefined) return before;
  const found = search(new ZoneView(image));
  known.set(image.memory, found);
  return found;
}

function search(view: ZoneView): MadeNames {
  const smart: SmartName[] = [];
  const aliases: Name[] = [];
  if (!view.isServed) return { smart, aliases };
  const table = view.word(H_TABLE);
  const end = table + 2 * (view.word(H_TABLE_MASK) + 1);
  for (let pair = table; pair < end; pair += 2) {
    const node = view.word(pair + 1);
    if (node === 0) continue;
    const nameAt = view.nameAt(node);
    const owner = () => view.bytes.slice(nameAt, nameAt + view.nameLength(node));
    if ((view.flags(node) & NODE_ALIAS) !== 0) aliases.push(owner());
    for (let rrset = view.word(node + N_RRSETS); rrset !== 0; rrset = view.word(rrset + R_NEXT)) {
      const type = view.word(rrset + R_TYPE);
      if (view.word(rrset + R_COUNT) !== SMART || type === TYPES.ALIAS) continue;
      smart.push({ owner: owner(), type, index: view.word(rrset + R_BYTES) });
    }
  }
  return { smart, aliases };
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
