// The report on the lists in words, a line each: what `edgectl line report` shows. Pure.
import type { LineReport, Sighting, Sightings } from './types.ts';

/** A heading for each part that has something to say, its lines indented; coverage always. */
export function reportText(report: LineReport): string[] {
  const { conflicts, nested, idleOverrides, bogons, stray, repeats } = report;
  return [
    ...coverage(report),
    ...report.files.map(({ file, prefixes: count, unmatched }) => {
      const rest = unmatched === 0 ? '' : `, ${unmatched} entries of no line`;
      return `${file}: ${counted(count)}${rest}`;
    }),
    ...part('in two lines; the first that was listed counts', conflicts, (each) => {
      const { kept, dropped } = each;
      return `${kept.prefix} ${kept.line}${place(kept)}, not ${dropped.line}${place(dropped)}`;
    }),
    ...(repeats === 0 ? [] : [`${counted(repeats)} said again by one line`]),
    ...nested.flatMap(({ line, inside, count, examples }) => [
      `${counted(count)} of ${line} inside of ${inside}`,
      ...examples.map((each) => `  ${each.prefix} in ${each.inside}`),
    ]),
    ...part('of the operator that change nothing', idleOverrides, sighting),
    ...part(
      'that no client on the Internet has',
      bogons,
      (each) => `${sighting(each)}: ${each.space}`,
    ),
    ...part('with bits set beyond their length', stray, (each) => each),
  ];
}

/** The lines as rows of a table, for whoever prints tables. */
export function coverageRows(report: LineReport): string[][] {
  return [
    ['line', 'listed', 'leaves', 'IPv4 addresses', 'share', 'IPv6 /48s', 'share'],
    ...report.lines.map((each) => [
      each.line,
      `${each.listed}`,
      `${each.leaves}`,
      `${each.addressesV4}`,
      percent(each.shareV4),
      `${Number(each.sitesV6.toFixed(3))}`,
      percent(each.shareV6),
    ]),
  ];
}

function coverage(report: LineReport): string[] {
  const rows = coverageRows(report);
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd : cell.padStart).call(cell, widths?.[at] ?? 0))
      .join('  '),
  );
}

function part<Example>(
  what: string,
  { count, examples }: Sightings<Example>,
  write: (example: Example) => string,
): string[] {
  if (count === 0) return [];
  const more = count > examples.length ? [`  and ${count - examples.length} more`] : [];
  return [`${counted(count)} ${what}`, ...examples.map((each) => `  ${write(each)}`), ...more];
}

function sighting(each: Sighting): string {
  return `${each.prefix} ${each.line}${place(each)}`;
}

function place({ file, row }: Sighting): string {
  return file === undefined ? '' : ` (${file}:${row})`;
}

function counted(count: number): string {
  return `${count} ${count === 1 ? 'prefix' : 'prefixes'}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
