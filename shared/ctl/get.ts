// `get`: stored objects as tables, as a site file (YAML), or as the same in JSON.

import { formatIpv4 } from '../net/ipv4.ts';
import { formatRate, formatSize } from '../net/units.ts';
import type { Eip } from '../site/eip.ts';
import { formatForwardFrom, formatForwardTo } from '../site/forward.ts';
import type { Kind } from '../site/kinds.ts';
import { notThere } from './change.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import type { Context } from './context.ts';
import { listCode, readListing } from './list.ts';
import { KIND_WORDS, type Listing, parseKind } from './state.ts';
import { didYouMean } from './suggest.ts';
import { writeTable } from './table.ts';
import * as views from './views.ts';

const ENTRIES_A_WRITE = 1000;

export function kindOf(text: string): Kind {
  const kind = parseKind(text);
  if (kind !== undefined) return kind;
  const hint = didYouMean(text, KIND_WORDS);
  throw new UsageError(`KIND is one of ${KIND_WORDS.join(', ')}, not "${text}"${hint}`);
}

function only(all: Listing, kind: Kind | undefined, id: string | undefined): Listing {
  const keep = (section: Kind, ids: string) =>
    (kind === undefined || kind === section) && (id === undefined || id === ids);
  return {
    groups: all.groups.filter((row) => keep('group', row.name)),
    nodes: all.nodes.filter((row) => keep('node', row.name)),
    eips: all.eips.filter((row) => keep('eip', formatIpv4(row.address))),
    forwards: all.forwards.filter((row) => keep('forward', formatForwardFrom(row))),
    unreadable: all.unreadable,
    newer: all.newer,
  };
}

type Limited = Pick<Eip, 'inBitsPerSecond' | 'outBitsPerSecond' | 'burstBytes'>;

function limitEntry(row: Limited) {
  return {
    ...(row.inBitsPerSecond === undefined ? {} : { in: formatRate(row.inBitsPerSecond) }),
    ...(row.outBitsPerSecond === undefined ? {} : { out: formatRate(row.outBitsPerSecond) }),
    ...(row.burstBytes === undefined ? {} : { burst: formatSize(row.burstBytes) }),
  };
}

type Entry = { [key: string]: string | boolean | Entry };

function eipEntry(eip: Eip): Entry {
  const limit = limitEntry(eip);
  return {
    address: formatIpv4(eip.address),
    ...(eip.private === undefined ? {} : { private: formatIpv4(eip.private) }),
    ...(Object.keys(limit).length === 0 ? {} : { limit }),
    ...(eip.group === undefined ? {} : { group: eip.group }),
    ...(eip.source === undefined ? {} : { source: eip.source }),
  };
}

/** The sections of a site file; each gives its entries one by one. */
function* sections(all: Listing, kind: Kind | undefined): Generator<[string, Iterable<Entry>]> {
  const wanted = (section: Kind) => kind === undefined || kind === section;
  if (wanted('eip')) yield ['eips', each(all.eips, eipEntry)];
  if (wanted('forward')) {
    const entry = (row: (typeof all.forwards)[number]) => ({
      from: formatForwardFrom(row),
      to: formatForwardTo(row),
    });
    yield ['forwards', each(all.forwards, entry)];
  }
  if (wanted('group')) {
    yield ['groups', each(all.groups, (row) => ({ name: row.name, ...limitEntry(row) }))];
  }
  if (wanted('node')) yield ['nodes', each(all.nodes, ({ name, drain }) => ({ name, drain }))];
}

function* each<Row>(rows: readonly Row[], entry: (row: Row) => Entry): Generator<Entry> {
  for (const row of rows) yield entry(row);
}

// What YAML reads as text as it stands: addresses, rates, names that are no number or YAML word.
const PLAIN = /^(\d+\.\d+\.\d+\.\d+|\d+[kmgt]?(bit|b)|[a-zA-Z][a-zA-Z0-9._-]*)$/;
const YAML_WORD = /^(true|false|null|yes|no|on|off|y|n)$/i;

function flow(value: string | boolean | Entry): string {
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'string') {
    return PLAIN.test(value) && !YAML_WORD.test(value) ? value : JSON.stringify(value);
  }
  const pairs = Object.entries(value).map(([key, inner]) => `${key}: ${flow(inner)}`);
  return `{ ${pairs.join(', ')} }`;
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
  for (const [section, entries] of sections(all, kind)) {
    let empty = true;
    for (const entry of entries) {
      yield `${empty ? `${section}:\n` : ''}  - ${flow(entry)}\n`;
      empty = false;
    }
    if (empty) yield `${section}: []\n`;
  }
}

function* jsonPieces(all: Listing, kind: Kind | undefined): Generator<string> {
  let separator = '{';
  for (const [section, entries] of sections(all, kind)) {
    yield `${separator}\n  ${JSON.stringify(section)}: [`;
    let comma = '';
    for (const entry of entries) {
      yield `${comma}\n    ${JSON.stringify(entry)}`;
      comma = ',';
    }
    yield comma === '' ? ']' : '\n  ]';
    separator = ',';
  }
  yield '\n}\n';
}

async function writeTables(context: Context, all: Listing, kind: Kind | undefined): Promise<void> {
  const { out } = context;
  const blocks: [Kind, number, () => Promise<void>][] = [
    [
      'eip',
      all.eips.length,
      () => writeTable(out, views.EIP_COLUMNS, views.eipRows(all.eips, all.forwards)),
    ],
    ['forward', all.forwards.length, () => writeTable(out, views.FORWARD_COLUMNS, all.forwards)],
    [
      'group',
      all.groups.length,
      () => writeTable(out, views.GROUP_COLUMNS, views.groupRows(all.groups, all.eips)),
    ],
    ['node', all.nodes.length, () => writeTable(out, views.NODE_COLUMNS, all.nodes)],
  ];
  let first = true;
  for (const [section, rows, write] of blocks) {
    if (kind === undefined ? rows === 0 : kind !== section) continue;
    if (!first) await out.line('');
    first = false;
    await write();
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
  const [kindText, id] = args.positionals;
  const kind = kindText === undefined ? undefined : kindOf(kindText);
  const output = form(args);
  const everything = await readListing(context, args);
  const all = only(everything, kind, id);
  const found = all.eips.length + all.forwards.length + all.groups.length + all.nodes.length;
  if (id !== undefined && found === 0) {
    throw notThere(kind ?? '', id, `see: edgectl get ${kind}`);
  }
  if (output === 'yaml') await writeChunks(context, yamlPieces(all, kind));
  else if (output === 'json') await writeChunks(context, jsonPieces(all, kind));
  else await writeTables(context, all, kind);
  return listCode(everything);
};
