// `get`: stored objects as tables, as a site file (YAML), or as the same in JSON.

import { type Entry, type EntryValue, entryOf } from '../site/entry.ts';
import { idFrom } from '../site/ids.ts';
import {
  formatObject,
  type Kind,
  type ObjectOf,
  type SiteObject,
  sectionOf,
  unitsOf,
} from '../site/kinds.ts';
import { UNITS } from '../site/place.ts';
import { notThere } from './change.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import type { Context } from './context.ts';
import * as dhcp from './dhcp-views.ts';
import * as dns from './dns-views.ts';
import * as lb from './lb-views.ts';
import { listCode, readListing } from './list.ts';
import { emptyListing, type Listing, parseKind, SHOWN_KINDS } from './state.ts';
import { didYouMean } from './suggest.ts';
import { writeTable } from './table.ts';
import * as views from './views.ts';

const ENTRIES_A_WRITE = 1000;

export function kindOf(text: string): Kind {
  const kind = parseKind(text);
  if (kind !== undefined) return kind;
  const hint = didYouMean(text, SHOWN_KINDS);
  throw new UsageError(`KIND is one of ${SHOWN_KINDS.join(', ')}, not "${text}"${hint}`);
}

function only(all: Listing, kind: Kind | undefined, id: string | undefined): Listing {
  const list: Listing = { ...emptyListing(), unreadable: all.unreadable, newer: all.newer };
  for (const each of SHOWN_KINDS) {
    if (kind === undefined || kind === each) keep(list, all, each, id);
  }
  return list;
}

function keep<K extends Kind>(
  to: { [P in K]: ObjectOf[P][] },
  from: { [P in K]: ObjectOf[P][] },
  kind: K,
  id: string | undefined,
): void {
  const isIt = (object: ObjectOf[K]) => formatObject(itemOf(kind, object)).id === id;
  to[kind] = id === undefined ? from[kind] : from[kind].filter(isIt);
}

function itemOf<K extends Kind>(kind: K, object: ObjectOf[K]): SiteObject {
  return { kind, object } as SiteObject; // K pairs the two; the compiler does not follow
}

/**
 * The sections of a site file; each gives its entries one by one. Without KIND, a service of which
 * nothing is stored has none: empty sections would tell `apply --prune` to delete what came since.
 * An empty one of what operators say in passing is never written: it would undrain nodes, and end
 * overrides.
 */
function* sections(all: Listing, kind: Kind | undefined): Generator<[string, Iterable<Entry>]> {
  for (const each of SHOWN_KINDS) {
    const isAsked = kind === undefined ? isInUse(all, each) : kind === each;
    const isInPassing = each === 'node' || each === 'override';
    if (!isAsked || (isInPassing && all[each].length === 0)) continue;
    yield [sectionOf(each), entries(all[each], each)];
  }
}

function isInUse(all: Listing, kind: Kind): boolean {
  const units = unitsOf(kind);
  return SHOWN_KINDS.some((other) => {
    const isOfThem = units.some((unit) => unitsOf(other).includes(unit));
    return all[other].length > 0 && isOfThem && (other !== 'node' || kind === 'node');
  });
}

function* entries<K extends Kind>(rows: readonly ObjectOf[K][], kind: K): Generator<Entry> {
  for (const row of rows) yield entryOf(itemOf(kind, row));
}

// What YAML reads as text as it stands: addresses, rates, names that are no number or YAML word.
const PLAIN = /^(\d+\.\d+\.\d+\.\d+|\d+[kmgt]?(bit|b)|[a-zA-Z][a-zA-Z0-9._-]*)$/;
const YAML_WORD = /^(true|false|null|yes|no|on|off|y|n)$/i;

function flow(value: EntryValue): string {
  if (typeof value === 'boolean' || typeof value === 'number') return String(value);
  if (typeof value === 'string') {
    return PLAIN.test(value) && !YAML_WORD.test(value) ? value : JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  const pairs = Object.entries(value).map(([key, inner]) => `${keyText(key)}: ${flow(inner)}`);
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
}

function keyText(key: string): string {
  return /^[a-zA-Z][a-zA-Z0-9-]*$/.test(key) ? key : JSON.stringify(key);
}

/** Writes pieces of text, many at a time; stops when nobody reads. */
async function writeChunks(context: Context, pieces: Iterable<string>): Promise<void> {
  let chunk = '';
  let pending = 0;
  for (const piece of pieces) {
    chunk += piece;
    if (++pending < ENTRIES_A_WRITE) continue;
    if (context.out.closed) return;
    await context.out.write(chunk);
    [chunk, pending] = ['', 0];
  }
  await context.out.write(chunk);
}

function* yamlPieces(all: Listing, kind: Kind | undefined): Generator<string> {
  for (const [section, rows] of sections(all, kind)) {
    let empty = true;
    for (const entry of rows) {
      yield `${empty ? `${section}:\n` : ''}  - ${flow(entry)}\n`;
      empty = false;
    }
    if (empty) yield `${section}: []\n`;
  }
}

function* jsonPieces(all: Listing, kind: Kind | undefined): Generator<string> {
  let separator = '{';
  for (const [section, rows] of sections(all, kind)) {
    yield `${separator}\n  ${JSON.stringify(section)}: [`;
    let comma = '';
    for (const entry of rows) {
      yield `${comma}\n    ${JSON.stringify(entry)}`;
      comma = ',';
    }
    yield comma === '' ? ']' : '\n  ]';
    separator = ',';
  }
  yield separator === '{' ? '{}\n' : '\n}\n';
}

async function writeTables(context: Context, all: Listing, kind: Kind | undefined): Promise<void> {
  const { out } = context;
  const write: Record<Kind, () => Promise<void>> = {
    eip: () => writeTable(out, views.EIP_COLUMNS, views.eipRows(all.eip, all.forward)),
    forward: () => writeTable(out, views.FORWARD_COLUMNS, all.forward),
    group: () => writeTable(out, views.GROUP_COLUMNS, views.groupRows(all.group, all.eip)),
    subnet: () => writeTable(out, dhcp.SUBNET_COLUMNS, all.subnet),
    reservation: () => writeTable(out, dhcp.RESERVATION_COLUMNS, all.reservation),
    class: () => writeTable(out, dhcp.CLASS_COLUMNS, all.class),
    l3net: () => writeTable(out, dhcp.L3NET_COLUMNS, all.l3net),
    zone: () => writeTable(out, dns.ZONE_COLUMNS, all.zone),
    record: () => writeTable(out, dns.RECORD_COLUMNS, all.record),
    line: () => writeTable(out, dns.LINE_COLUMNS, all.line),
    vserver: () => writeTable(out, lb.VSERVER_COLUMNS, all.vserver),
    listener: () => writeTable(out, lb.LISTENER_COLUMNS, all.listener),
    route: () => writeTable(out, lb.ROUTE_COLUMNS, all.route),
    certificate: () => writeTable(out, lb.CERTIFICATE_COLUMNS, lb.certificateRows(all.certificate)),
    pool: () => writeTable(out, dns.POOL_COLUMNS, all.pool),
    override: () => writeTable(out, dns.OVERRIDE_COLUMNS, all.override),
    node: () => writeTable(out, views.NODE_COLUMNS, all.node),
  };
  let first = true;
  for (const section of SHOWN_KINDS) {
    if (kind === undefined ? all[section].length === 0 : kind !== section) continue;
    if (!first) await out.line('');
    first = false;
    await write[section]();
  }
  if (first) await context.err.line('edgectl: nothing is stored yet');
}

function form(args: Arguments): string {
  const output = args.values.get('output');
  if (!args.switches.has('json')) return output ?? 'table';
  if (output !== undefined && output !== 'json') {
    throw new UsageError(`--json and --output ${output} exclude each other`);
  }
  return 'json';
}

export const get: Run = async (context, args) => {
  const [kindText, idText] = args.positionals;
  const kind = kindText === undefined ? undefined : kindOf(kindText);
  const id = kind === undefined || idText === undefined ? undefined : idFrom(kind, idText);
  const output = form(args);
  const everything = await readListing(context, args, kind === undefined ? UNITS : unitsOf(kind));
  const all = only(everything, kind, id);
  if (id !== undefined && SHOWN_KINDS.every((each) => all[each].length === 0)) {
    throw notThere(kind ?? '', id, `see: edgectl get ${kind}`);
  }
  if (output === 'yaml') await writeChunks(context, yamlPieces(all, kind));
  else if (output === 'json') await writeChunks(context, jsonPieces(all, kind));
  else await writeTables(context, all, kind);
  return listCode(everything);
};
