// `zone version [ZONE…]`: what each live dns serves of zones, by its admin port, and whether all
// serve the same.

import { describeError, OperationalError } from '../errors.ts';
import type { Arguments, Run } from './command.ts';
import type { Context } from './context.ts';
import { fieldsOf, listOf, textOf } from './control.ts';
import { EXIT } from './exit.ts';
import { type Fields, optional } from './lease.ts';
import { writeList } from './list.ts';
import { appliedVersion, formatAge, type Heard, isLive } from './members.ts';
import { adminToken, withStore } from './session.ts';
import type { Column } from './table.ts';
import { zoneNamed } from './zone-file.ts';

const DIGEST_SHOWN = 12;
const ZONES_A_PAGE = 50;
const DIFFERENT_TOLD = 20;
const LOOPBACK_ONLY =
  'its admin pages are on loopback only (set admin.listen there to an address that others reach)';

/** `fields`: of GET /zones; undefined: this dns does not have the zone, or was not `asked`. */
type Row = { zone: string; member: Heard; asked: boolean; fields: Fields | undefined };

const numberIn = (fields: Fields | undefined, name: string) => {
  const value = fields?.[name];
  return typeof value === 'number' ? value : undefined;
};
const digestIn = (fields: Fields | undefined) => fields && optional(fields, 'digest');

const COLUMNS: readonly Column<Row>[] = [
  { title: 'ZONE', value: ({ zone }) => zone },
  { title: 'NODE', value: ({ member }) => member.node },
  { title: 'DNS', right: true, value: ({ member }) => appliedVersion(member, 'dns') },
  { title: 'POOLS', right: true, value: ({ member }) => appliedVersion(member, 'pools') },
  { title: 'FROM', value: ({ fields }) => fields && optional(fields, 'source') },
  { title: 'SERIAL', right: true, value: ({ fields }) => numberIn(fields, 'serial') },
  { title: 'RECORDS', right: true, value: ({ fields }) => numberIn(fields, 'records') },
  { title: 'DIGEST', value: ({ fields }) => digestIn(fields)?.slice(0, DIGEST_SHOWN) },
];

function rowJson({ zone, member, fields }: Row) {
  return {
    zone: zone === '' ? null : zone,
    node: member.node,
    applied: { dns: appliedVersion(member, 'dns'), pools: appliedVersion(member, 'pools') },
    source: (fields && optional(fields, 'source')) ?? null,
    serial: numberIn(fields, 'serial') ?? null,
    records: numberIn(fields, 'records') ?? null,
    digest: digestIn(fields) ?? null,
  };
}

/** By zone; or why it cannot be known. */
async function zonesOf(
  context: Context,
  member: Heard,
  asked: readonly string[],
  token: string | undefined,
): Promise<ReadonlyMap<string, Fields> | string> {
  if (!isLive(member)) return `silent for ${formatAge(member.ageMs)}`;
  if (member.address === undefined) return LOOPBACK_ONLY;
  const found = new Map<string, Fields>();
  try {
    for (let at = 0; at === 0 || at < asked.length; at += ZONES_A_PAGE) {
      const query = new URLSearchParams();
      for (const zone of asked.slice(at, at + ZONES_A_PAGE)) query.append('zone', zone);
      const path = asked.length === 0 ? '/zones' : `/zones?${query}`;
      const answer = fieldsOf(await context.getAdmin(member.address, path, token), 'zones');
      for (const one of listOf(answer, 'zones')) {
        const fields = fieldsOf(one, 'zones');
        found.set(textOf(fields, 'zone'), fields);
      }
    }
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    return describeError(error);
  }
  return found;
}

/** What two must have in common to serve the same. */
function contentOf({ fields }: Row): string {
  const serial = numberIn(fields, 'serial');
  if (serial === undefined) return 'nothing';
  const digest = digestIn(fields);
  return digest === undefined ? `serial ${serial}` : `serial ${serial}, ${digest}`;
}

/** A line for each zone that is not everywhere the same. */
function differences(rows: readonly Row[]): string[] {
  return [...Map.groupBy(rows, ({ zone }) => zone)].flatMap(([zone, each]) => {
    const known = each.filter(({ asked }) => asked);
    if (new Set(known.map(contentOf)).size <= 1) return [];
    const said = known.map((row) => `${row.member.node} has ${contentOf(row)}`);
    return [`zone ${zone} is not everywhere the same: ${said.join('; ')}`];
  });
}

async function tell({ err }: Context, texts: readonly string[]): Promise<void> {
  for (const text of texts.slice(0, DIFFERENT_TOLD)) await err.line(`edgectl: ${text}`);
  const more = texts.length - DIFFERENT_TOLD;
  if (more > 0) await err.line(`edgectl: and ${more} more`);
}

/** By zone; of who could not be asked, what it has applied is known by its heartbeat. */
function rowsOf(
  asked: readonly string[],
  members: readonly Heard[],
  answers: readonly (ReadonlyMap<string, Fields> | string)[],
): Row[] {
  const seen = answers.flatMap((zones) => (typeof zones === 'string' ? [] : [...zones.keys()]));
  const names = [...new Set(asked.length > 0 ? asked : seen)].sort();
  return (names.length > 0 ? names : ['']).flatMap((zone) =>
    members.flatMap((member, at): Row[] => {
      const zones = answers[at];
      if (zones === undefined || !isLive(member)) return [];
      if (typeof zones === 'string') return [{ zone, member, asked: false, fields: undefined }];
      return [{ zone, member, asked: true, fields: zones.get(zone) }];
    }),
  );
}

export const version: Run = async (context: Context, args: Arguments) => {
  const asked = [...new Set(args.positionals.map((text) => zoneNamed(text).zone))];
  const members = await withStore(context, args, (store) => store.members('dns'));
  const token = await adminToken(context, args);
  const answers = await Promise.all(
    members.map((member) => zonesOf(context, member, asked, token)),
  );
  const rows = rowsOf(asked, members, answers);
  await writeList(context, args, { columns: COLUMNS, rows, json: rowJson });
  const unknown = members.flatMap(({ node }, at) => {
    const why = answers[at];
    return typeof why === 'string' ? [`${node} could not be asked: ${why}`] : [];
  });
  const unlike = differences(rows);
  await tell(context, [...unknown, ...unlike]);
  if (!members.some(isLive)) {
    await context.err.line('edgectl: no dns is live');
    return EXIT.notRunning;
  }
  const unserved = rows.filter(
    ({ zone, fields }) => zone !== '' && numberIn(fields, 'serial') === undefined,
  );
  return unknown.length + unlike.length + unserved.length > 0 ? EXIT.failure : EXIT.ok;
};
