// Which ids an object of a kind can have.

import { parseStoredName } from './dns-name.ts';
import { parseForwardFrom } from './forward.ts';
import { type Kind, unitsOf } from './kinds.ts';
import { parseL3Prefix } from './l3net.ts';
import { parseOverrideId } from './override.ts';
import { placeOf } from './place.ts';
import { parseRecordId } from './record.ts';
import { parseSubnetPrefix } from './subnet.ts';
import { isName, parseHost } from './value.ts';

const parseId: Record<Kind, (id: string) => unknown> = {
  eip: parseHost,
  forward: parseForwardFrom,
  group: (id) => isName(id) || undefined,
  node: (id) => isName(id) || undefined,
  subnet: parseSubnetPrefix,
  reservation: parseHost,
  class: (id) => isName(id) || undefined,
  l3net: parseL3Prefix,
  line: (id) => isName(id) || undefined,
  pool: (id) => isName(id) || undefined,
  override: parseOverrideId,
  zone: parseStoredName,
  record: parseRecordId,
};

export function isIdOf(kind: Kind, id: string): boolean {
  const { unit, id: stored } = placeOf(kind, id);
  return unitsOf(kind).includes(unit) && parseId[kind](stored) !== undefined;
}
