// `zone diff ZONE FILE`: what is served against a file. The serial alone is no difference, since a
// zone of site objects counts on by itself.
import { compareBytes } from '../bytes.ts';
import { TYPES } from '../dns/constants.ts';
import { formatName } from '../dns/names.ts';
import { canonicalRdata } from '../dns/rdata.ts';
import { diffZones, type ZoneDiff } from '../dns/zone/diff.ts';
import { canonicalOrder } from '../dns/zone/order.ts';
import { recordText } from '../dns/zone/print.ts';
import { RecordList } from '../dns/zone/record-list.ts';
import { serialOf, soaIndex } from '../dns/zone/soa.ts';
import type { Zone } from '../dns/zone/types.ts';
import { OperationalError } from '../errors.ts';
import { tellWarnings } from './check.ts';
import type { Arguments, Run } from './command.ts';
import type { Context } from './context.ts';
import { EXIT } from './exit.ts';
import { writeJsonArray } from './table.ts';
import { recordJson, servedText } from './zone.ts';
import { checked } from './zone-check.ts';
import { parseServed, readZone, refuseProblems, warningTexts, zoneNamed } from './zone-file.ts';

async function servedZone(context: Context, args: Arguments, text: string): Promise<Zone> {
  const { origin, zone } = zoneNamed(text);
  const { records } = parseServed(origin, await servedText(context, args, zone));
  const soa = soaIndex(records, origin);
  if (soa >= 0) return { origin, records, serial: serialOf(records.rdata(soa)) };
  const message = `the daemon's answer to "zone" is no zone ${zone}`;
  const remedy = 'are edgectl and the daemon of the same version?';
  throw new OperationalError('EDGE_CTL_BAD_ANSWER', message, { remedy });
}

/** In canonical form, with a serial of 0. */
function soaWithoutSerial(rdata: Uint8Array): Uint8Array {
  const soa = canonicalRdata(TYPES.SOA, rdata).slice();
  return soa.fill(0, soa.length - 20, soa.length - 16);
}

/** The SOAs, if any, are first. */
function withoutSerial({ deleted, added }: ZoneDiff): ZoneDiff {
  const isSoa = (list: RecordList) => list.count > 0 && list.type(0) === TYPES.SOA;
  if (!isSoa(deleted) || !isSoa(added)) return { deleted, added };
  const isSame =
    deleted.ttlSeconds(0) === added.ttlSeconds(0) &&
    compareBytes(soaWithoutSerial(deleted.rdata(0)), soaWithoutSerial(added.rdata(0))) === 0;
  return isSame ? { deleted: behindFirst(deleted), added: behindFirst(added) } : { deleted, added };
}

function behindFirst(records: RecordList): RecordList {
  const rest = new RecordList();
  for (let index = 1; index < records.count; index++) {
    const [owner, rdata] = [records.owner(index), records.rdata(index)];
    rest.add(owner, records.type(index), records.ttlSeconds(index), rdata);
  }
  return rest;
}

type Side = { sign: '-' | '+'; records: RecordList };

function* differencesJson(sides: readonly Side[]) {
  for (const { sign, records } of sides) {
    const action = sign === '-' ? 'delete' : 'add';
    for (let index = 0; index < records.count; index++) {
      yield { action, ...recordJson(records, index) };
    }
  }
}

async function writeSides({ out }: Context, origin: Zone['origin'], sides: readonly Side[]) {
  for (const { sign, records } of sides) {
    for (const index of canonicalOrder(records, origin)) {
      if (out.closed) return;
      const text = `${sign} ${formatName(records.owner(index))}\t${recordText(records, index)}`;
      await out.line(out.paint(sign === '-' ? 'red' : 'green', text));
    }
  }
}

export const diff: Run = async (context, args) => {
  const [name = '', path = ''] = args.positionals;
  const read = await readZone(context, path, name);
  const { zone, problems } = checked(context, read);
  refuseProblems(read.file, problems);
  if (zone === undefined) throw new RangeError('a zone without refusals is there');
  const served = await servedZone(context, args, name);
  const { deleted, added } = withoutSerial(diffZones(served, zone));
  const sides: Side[] = [
    { sign: '-', records: deleted },
    { sign: '+', records: added },
  ];
  const { out, err } = context;
  if (args.switches.has('json')) {
    await writeJsonArray(out, differencesJson(sides));
    await out.write('\n');
  } else await writeSides(context, read.origin, sides);
  await tellWarnings(context, warningTexts(problems));
  const counts = `${deleted.count} only served, ${added.count} only in ${read.file}`;
  const serials = `serial ${served.serial} is served, the file has ${zone.serial}`;
  await err.line(`edgectl: ${counts}; ${serials}`);
  return deleted.count + added.count > 0 ? EXIT.failure : EXIT.ok;
};
