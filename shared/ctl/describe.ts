// Changes in words: one line each, `+` added, `~` changed, `-` deleted, and a summary.

import { formatIpv4 } from '../net/ipv4.ts';
import type { Difference } from '../site/diff.ts';
import { type Entry, type EntryValue, entryOf } from '../site/entry.ts';
import { formatForwardTo } from '../site/forward.ts';
import { parseObject, type SiteObject } from '../site/kinds.ts';
import { isRefusal } from '../site/refusal.ts';
import { isPem, pemText } from './certificates.ts';
import { massText, type Outcome } from './change.ts';
import type { Arguments } from './command.ts';
import type { Context } from './context.ts';
import { valueText } from './dhcp-views.ts';
import type { Colour, Output } from './output.ts';
import { writeJsonArray } from './table.ts';
import { rateText, sizeText } from './views.ts';

const APPLY_LINES_SHOWN = 40;
/** Of a list in one line. */
const MOST_LISTED = 8;
type Sign = Difference['sign'];
const DONE: Record<Sign, string> = { '+': 'added', '~': 'changed', '-': 'deleted' };
const TO_DO: Record<Sign, string> = { '+': 'to add', '~': 'to change', '-': 'to delete' };
const ACTIONS: Record<Sign, string> = { '+': 'add', '~': 'change', '-': 'delete' };
const COLOURS: Record<Sign, Colour> = { '+': 'green', '~': 'yellow', '-': 'red' };

/** What an object says, as pairs; in the order in which it is shown. */
function fields(item: SiteObject): [string, string | undefined][] {
  switch (item.kind) {
    case 'eip': {
      const { private: inside, group, source } = item.object;
      const address = inside === undefined ? undefined : formatIpv4(inside);
      return [
        ['private', address],
        ...limitFields(item.object),
        ['group', group],
        ['source', source],
      ];
    }
    case 'forward':
      return [['to', formatForwardTo(item.object)]];
    case 'group':
      return limitFields(item.object);
    case 'node':
      return [['drain', item.object.drain ? 'yes' : undefined]];
    default:
      return entryFields(item.kind, entryOf(item));
  }
}

/** In the id of a kind. */
const ID_KEYS: { [K in SiteObject['kind']]?: readonly string[] } = {
  subnet: ['subnet'],
  reservation: ['address'],
  l3net: ['cidr'],
  zone: ['zone'],
  record: ['name', 'type'],
  override: ['address', 'port', 'pool'],
  vserver: ['at'],
};
/** Each of theirs for itself. */
const MANY: readonly string[] = ['options', 'lines', 'proxy'];

/** All but what is the id. */
function entryFields(kind: SiteObject['kind'], entry: Entry): [string, string][] {
  const known = ID_KEYS[kind] ?? ['name'];
  const said = Object.entries(entry).filter(([key]) => !known.includes(key));
  const isMany = (key: string) => MANY.includes(key);
  const one = said.filter(([key]) => !isMany(key)).map(([key, value]) => pairOf(key, value));
  const many = said.filter(([key]) => isMany(key));
  return [
    ...one,
    ...many.flatMap(([key, value]) =>
      Object.entries(value).map(([inner, each]) => pairOf(`${key}.${inner}`, each)),
    ),
  ];
}

function pairOf(key: string, value: EntryValue): [string, string] {
  return [key, valueText(shortened(value))];
}

/** Certificates by what they are: their text says nothing to anybody. */
function shortened(value: EntryValue): EntryValue {
  if (typeof value === 'string') return isPem(value) ? pemText(value) : value;
  if (Array.isArray(value)) return value.map(shortened);
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shortened(each)]));
}

function limitFields(limited: {
  inBitsPerSecond?: number;
  outBitsPerSecond?: number;
  burstBytes?: number;
}): [string, string | undefined][] {
  return [
    ['in', rateText(limited.inBitsPerSecond)],
    ['out', rateText(limited.outBitsPerSecond)],
    ['burst', sizeText(limited.burstBytes)],
  ];
}

function fieldsOf(kind: string, id: string, value: string | undefined) {
  if (value === undefined) return [];
  const parsed = parseObject({ kind, id, value });
  return isRefusal(parsed) ? [['value', 'unreadable'] as [string, string]] : fields(parsed);
}

/** `private 10.0.0.5 in 100mbit`; for a change only what differs, as `in 10mbit -> 20mbit`. */
export function differenceText(
  difference: Omit<Difference, 'sign' | 'kind'> & { kind: string },
): string {
  const { kind, id, before, after } = difference;
  const old = new Map(fieldsOf(kind, id, before));
  if (before === undefined || after === undefined) {
    const all = fieldsOf(kind, id, after ?? before);
    const words = all.flatMap(([name, text]) =>
      text === undefined ? [] : [`${name} ${shortList(text.split(','))}`],
    );
    return [kind, id, ...words].join(' ');
  }
  const fresh = new Map(fieldsOf(kind, id, after));
  const words = [...new Set([...old.keys(), ...fresh.keys()])]
    .filter((name) => old.get(name) !== fresh.get(name))
    .map((name) => `${name} ${changeText(old.get(name) ?? '-', fresh.get(name) ?? '-')}`);
  return `${kind} ${id} ${words.join(', ')}`;
}

/** Of long lists what came and went. */
function changeText(before: string, after: string): string {
  const [old, fresh] = [before.split(','), after.split(',')];
  if (Math.max(old.length, fresh.length) <= MOST_LISTED) return `${before} -> ${after}`;
  const [left, right] = [new Set(old), new Set(fresh)];
  const came = fresh.filter((each) => !left.has(each));
  const went = old.filter((each) => !right.has(each));
  const parts = [
    came.length === 0 ? '' : `+${shortList(came)}`,
    went.length === 0 ? '' : `-${shortList(went)}`,
  ];
  return parts.filter((part) => part !== '').join(' ') || 'in another order';
}

function shortList(items: readonly string[]): string {
  if (items.length <= MOST_LISTED) return items.join(',');
  return `${items.slice(0, 3).join(',')} and ${items.length - 3} more`;
}

export function differenceLine(out: Output, difference: Difference): string {
  const text = `${difference.sign} ${differenceText(difference)}`;
  return out.paint(COLOURS[difference.sign], text);
}

/** `1 added, 2 changed, 3 unchanged` without what is zero; `nothing to do` for nothing. */
export function countsText(
  differences: readonly Difference[],
  unchanged: number,
  words: Record<Sign, string> = TO_DO,
): string {
  const parts = (['+', '~', '-'] as const).map((sign) => {
    const count = differences.filter((difference) => difference.sign === sign).length;
    return count === 0 ? '' : `${count} ${words[sign]}`;
  });
  if (unchanged > 0) parts.push(`${unchanged} unchanged`);
  return parts.filter((part) => part !== '').join(', ') || 'nothing to do';
}

/** For verbs that name their objects. */
export async function describeNamed(context: Context, outcome: Outcome): Promise<void> {
  const { out } = context;
  for (const difference of outcome.differences) {
    const { sign, kind, id } = difference;
    const what = sign === '~' ? differenceText(difference) : `${kind} ${id}`;
    await out.line(`${what} ${DONE[sign]}`);
  }
  for (const line of outcome.lines) await out.line(line);
}

/** For apply and delete -f, which may change very many. */
export async function describeMany(context: Context, outcome: Outcome): Promise<void> {
  const { out } = context;
  for (const difference of outcome.differences.slice(0, APPLY_LINES_SHOWN)) {
    await out.line(differenceLine(out, difference));
  }
  const more = outcome.differences.length - APPLY_LINES_SHOWN;
  if (more > 0) await out.line(`… and ${more} more`);
  for (const line of outcome.lines) await out.line(line);
  await out.line(countsText(outcome.differences, outcome.unchanged, DONE));
}

/** The stable fields of `diff --json` and `--dry-run --json`. */
function differenceJson({ sign, kind, id, before, after }: Difference) {
  const value = (text: string | undefined) => (text === undefined ? null : parsedOrText(text));
  return { action: ACTIONS[sign], kind, id, before: value(before), after: value(after) };
}

function parsedOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // an unreadable stored value, shown as it is
  }
}

export async function writeDifferences(
  context: Context,
  args: Arguments,
  found: readonly Difference[],
): Promise<void> {
  const { out } = context;
  if (args.switches.has('json')) {
    await writeJsonArray(out, found.map(differenceJson));
    await out.write('\n');
    return;
  }
  for (const difference of found) {
    if (out.closed) return;
    await out.line(differenceLine(out, difference));
  }
}

export async function describeDryRun(
  context: Context,
  args: Arguments,
  outcome: Outcome,
): Promise<void> {
  await writeDifferences(context, args, outcome.differences);
  const counts = countsText(outcome.differences, outcome.unchanged);
  await context.err.line(`edgectl: dry run, nothing was stored: ${counts}`);
  if (outcome.massDeletes.length === 0) return;
  await context.err.line(`edgectl: deletes ${massText(outcome.massDeletes)}: needs --yes`);
}
