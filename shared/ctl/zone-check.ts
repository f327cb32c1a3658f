// `zone check FILE`: whether dns would serve a zone file, and all that is wrong with it.

import { checkZone } from '../dns/zone/check.ts';
import type { ZoneProblem, ZoneResult } from '../dns/zone/types.ts';
import { ConfigError } from '../errors.ts';
import { tellWarnings } from './check.ts';
import type { Run } from './command.ts';
import type { Context } from './context.ts';
import { EXIT } from './exit.ts';
import { configProblems, nameFlag, type ReadZone, readZone, warningTexts } from './zone-file.ts';

/** As dns does when it loads the file; `smart`: what policy answers beside it. */
export function checked(
  { clock }: Pick<Context, 'clock'>,
  { origin, parsed }: ReadZone,
  smart: Parameters<typeof checkZone>[0]['smart'] = [],
): ZoneResult {
  const { records, placeOf, problems, refused } = parsed;
  if (refused) return { zone: undefined, problems };
  const nowSeconds = Math.floor(clock.nowMs() / 1000);
  const result = checkZone({ origin, records, placeOf, smart, nowSeconds });
  return { zone: result.zone, problems: [...problems, ...result.problems] };
}

function problemJson({ level, place, message }: ZoneProblem) {
  const { file = null, line = null, column = null } = place ?? {};
  return { level, file, line, column, message };
}

export const check: Run = async (context, args) => {
  const read = await readZone(context, args.positionals[0] ?? '', nameFlag(args));
  const { zone, problems } = checked(context, read);
  const { out, err } = context;
  if (args.switches.has('json')) {
    const found = {
      zone: read.zone,
      serial: zone?.serial ?? null,
      records: zone?.records.count ?? null,
      problems: problems.map(problemJson),
    };
    await out.line(JSON.stringify(found, null, 2));
    return zone === undefined ? EXIT.failure : EXIT.ok;
  }
  const refused = configProblems(read.file, problems);
  if (refused.length > 0) await err.line(new ConfigError(refused).message);
  await tellWarnings(context, warningTexts(problems));
  if (zone === undefined) {
    await err.line(`edgectl: zone ${read.zone} would not be served`);
    return EXIT.failure;
  }
  const { serial, records } = zone;
  await out.line(`zone ${read.zone}: serial ${serial}, ${records.count} records, can be served`);
  return EXIT.ok;
};
