// Which ids an object of a kind can have.

import { parseRecordType } from './dns-data.ts';
import { parseDnsName, parseStoredName } from './dns-name.ts';
import { parseForwardFrom } from './forward.ts';
import { type Kind, unitsOf } from './kinds.ts';
import { parseL3Prefix } from './l3net.ts';
import { parseOverrideId } from './override.ts';
import { homeOf, placeOf, siteIdOf } from './place.ts';
import { parseRecordId, recordId } from './record.ts';
import { parseSubnetPrefix } from './subnet.ts';
import { parseTarget, targetText } from './target-pool.ts';
import { isName, parseHost } from './value.ts';
import { parseVserverAt } from './vserver.ts';

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
  vserver: parseVserverAt,
  listener: (id) => isName(id) || undefined,
  route: (id) => isName(id) || undefined,
  certificate: (id) => isName(id) || undefined,
};

/** From how an operator may write it: names in either case, addresses in any spelling. */
const parseWrittenId: Partial<Record<Kind, (text: string) => string | undefined>> = {
  override: (text) => {
    const { before, rest } = splitAt(text, text.indexOf('/'));
    const target = parseTarget(before);
    return target === undefined ? undefined : `${targetText(target)}${rest}`;
  },
  zone: parseDnsName,
  record: (text) => {
    const { before, rest } = splitAt(text, text.lastIndexOf('/'));
    const [name, type] = [parseDnsName(before), parseRecordType(rest.slice(1))];
    return name === undefined || type === undefined ? undefined : recordId({ name, type });
  },
};

function splitAt(text: string, at: number): { before: string; rest: string } {
  return at < 0 ? { before: text, rest: '' } : { before: text.slice(0, at), rest: text.slice(at) };
}

/** The id in the site that a text means; the text itself where it means none. */
export function idFrom(kind: Kind, text: string): string {
  if (isIdOf(kind, text)) return text;
  const stored = parseWrittenId[kind]?.(text);
  return stored === undefined ? text : siteIdOf(homeOf(kind), kind, stored);
}

export function isIdOf(kind: Kind, id: string): boolean {
  const { unit, id: stored } = placeOf(kind, id);
  return unitsOf(kind).includes(unit) && parseId[kind](stored) !== undefined;
}
