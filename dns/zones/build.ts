// One job of the builder: from a file, site objects or a transfer to an image, or why not.
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseName } from '../../shared/dns/names.ts';
import { typeCode } from '../../shared/dns/rdata.ts';
import type { Name } from '../../shared/dns/types.ts';
import { checkZone } from '../../shared/dns/zone/check.ts';
import { zoneFromObjects } from '../../shared/dns/zone/from-objects.ts';
import { loadZone } from '../../shared/dns/zone/load.ts';
import { RecordList } from '../../shared/dns/zone/record-list.ts';
import type { ZoneFiles, ZoneProblem, ZoneResult } from '../../shared/dns/zone/types.ts';
import { describeError } from '../../shared/errors.ts';
import { aliasTargets } from '../aliases/targets.ts';
import { buildImage } from '../image/build.ts';
import type { SmartName } from '../image/types.ts';
import type { BuildJob, BuildResult, SmartPlaces } from './types.ts';

/** As JavaScript's strings end before 2^29 characters. */
const MAX_FILE_BYTES = 500_000_000;

/** Never throws: what fails is a problem of the zone. */
export function runJob(job: BuildJob, nowMs: () => number): BuildResult {
  const beganMs = nowMs();
  const files = new DiskFiles();
  const { zone } = job;
  const done = (result: Pick<BuildResult, 'image' | 'problems' | 'aliases'>): BuildResult => {
    return { zone, ...result, files: files.paths, tookMs: nowMs() - beganMs };
  };
  try {
    const origin = nameOf(zone);
    const smart = smartNames(job.smart);
    const result = recordsOf(job, origin, smart, files, Math.floor(beganMs / 1000));
    const problems = [...result.problems];
    if (result.zone === undefined) return done({ image: undefined, problems });
    const warn = (message: string) =>
      problems.push({ level: 'warning', place: undefined, message });
    const { records } = result.zone;
    const image = buildImage({ origin, records, smart }, warn);
    return done({ image, problems, aliases: aliasTargets(records) });
  } catch (error) {
    const problem: ZoneProblem = {
      level: 'refusal',
      place: undefined,
      message: `${zone} cannot be built: ${describeError(error)}`,
    };
    return done({ image: undefined, problems: [problem] });
  }
}

function recordsOf(
  job: BuildJob,
  origin: Name,
  smart: readonly SmartName[],
  files: ZoneFiles,
  nowSeconds: number,
): ZoneResult {
  switch (job.source) {
    case 'file':
      return loadZone(job.path, origin, files, nowSeconds, smart);
    case 'objects':
      return zoneFromObjects({
        zone: job.object,
        plain: job.plain,
        smart: job.smart,
        serial: job.serial,
        nowSeconds,
      });
    case 'transfer': {
      const records = RecordList.of(job.records);
      return checkZone({ origin, records, placeOf: () => undefined, smart, nowSeconds });
    }
  }
}

function smartNames(places: SmartPlaces): SmartName[] {
  return places.map(({ name, type, index }) => {
    const code = typeCode(type);
    if (code === undefined) throw new Error(`${type} is no type`);
    return { owner: nameOf(name), type: code, index };
  });
}

function nameOf(text: string): Name {
  const name = parseName(text);
  if (name === undefined) throw new Error(`${text} is no name`);
  return name;
}

class DiskFiles implements ZoneFiles {
  readonly paths: string[] = [];

  read(path: string): string {
    if (!this.paths.includes(path)) this.paths.push(path);
    // Not waited for: a FIFO that nobody writes to would hold up all zones.
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(file);
      if (!stat.isFile()) throw new Error('it is no regular file');
      if (stat.size > MAX_FILE_BYTES) throw new Error(`more than ${MAX_FILE_BYTES} bytes`);
      return readFileSync(file, 'latin1');
    } finally {
      closeSync(file);
    }
  }

  resolve(from: string, path: string): string {
    return resolve(dirname(from), path);
  }
}
