// A class of clients: who belongs to it, and what they are told. Id: its name. A class without a
// match is everybody's.
import type { ObjectRecord } from '../store/types.ts';
import {
  type DhcpSettings,
  readSettings,
  SETTINGS_KEYS,
  settingsProblems,
  storedSettings,
  storedValue,
} from './dhcp-settings.ts';
import { formatPattern, type Pattern, parsePattern } from './pattern.ts';
import type { ObjectProblem } from './problem.ts';
import { type Refusal, refusal } from './refusal.ts';
import { isName, ValueReader } from './value.ts';

/** All that is given has to match; of `architectures` (option 93) one. */
export type ClassMatch = {
  vendorClass?: Pattern;
  userClass?: Pattern;
  architectures?: number[];
  /** By code. */
  options?: Readonly<Record<string, Pattern>>;
};

/** Of several classes the one with the higher order wins; of the same order, by name. */
export type DhcpClass = DhcpSettings & { name: string; order: number; match?: ClassMatch };

export const DEFAULT_ORDER = 100;
export const MAX_ORDER = 65535;
const MATCH_KEYS = ['architectures', 'options', 'userClass', 'vendorClass'];
const PATTERN = 'hex with or without a * at its end';

/** From a stored object. */
export function parseClass(id: string, value: string): DhcpClass | Refusal {
  const reader = new ValueReader(`class ${id}`, value, [...SETTINGS_KEYS, 'match', 'order']);
  if (!isName(id)) reader.refuse('the id is not a name');
  const order = reader.integer('order', 0, MAX_ORDER) ?? DEFAULT_ORDER;
  const found: DhcpClass = { ...readSettings(reader), name: id, order };
  const match = reader.within('match', MATCH_KEYS, readMatch);
  if (match !== undefined) found.match = match;
  for (const { message } of classProblems(found)) reader.refuse(message);
  return reader.reasons.length === 0 ? found : refusal(...reader.reasons);
}

function readMatch(reader: ValueReader): ClassMatch {
  const match: ClassMatch = {};
  const vendorClass = reader.parsed('vendorClass', PATTERN, parsePattern);
  if (vendorClass !== undefined) match.vendorClass = vendorClass;
  const userClass = reader.parsed('userClass', PATTERN, parsePattern);
  if (userClass !== undefined) match.userClass = userClass;
  const architectures = reader.integers('architectures', 0, 65535);
  if (architectures !== undefined) match.architectures = architectures;
  const options: Record<string, Pattern> = {};
  for (const [code, value] of Object.entries(reader.map('options') ?? {})) {
    const pattern = typeof value === 'string' ? parsePattern(value) : undefined;
    if (pattern === undefined) reader.refuse(`options: ${code} is not ${PATTERN}`);
    else options[code] = pattern;
  }
  if (Object.keys(options).length > 0) match.options = options;
  return match;
}

/** What is wrong with a class in itself. */
export function classProblems({ match, ...found }: DhcpClass): ObjectProblem[] {
  const problems = settingsProblems(found);
  if (match === undefined) return problems;
  const say = (message: string, ...at: string[]) =>
    problems.push({ message, at: ['match', ...at] });
  if (Object.keys(match).length === 0) say('a match without a condition');
  if (match.architectures?.length === 0) say('matches no architecture', 'architectures');
  for (const code of Object.keys(match.options ?? {})) {
    if (!/^[1-9]\d{0,2}$/.test(code) || Number(code) > 254) {
      say(`${code} is not the code of an option: 1 to 254`, 'options', code);
    }
  }
  return problems;
}

export function formatClass(found: DhcpClass): ObjectRecord {
  const { name, order, match } = found;
  const value = storedValue({
    ...storedSettings(found, true),
    match: match === undefined ? undefined : storedMatch(match),
    order: order === DEFAULT_ORDER ? undefined : order,
  });
  return { kind: 'class', id: name, value };
}

function storedMatch({ vendorClass, userClass, architectures, options }: ClassMatch) {
  const patterns = Object.entries(options ?? {}).map(([code, each]) => [code, formatPattern(each)]);
  return {
    architectures,
    options: patterns.length === 0 ? undefined : Object.fromEntries(patterns),
    userClass: userClass === undefined ? undefined : formatPattern(userClass),
    vendorClass: vendorClass === undefined ? undefined : formatPattern(vendorClass),
  };
}
