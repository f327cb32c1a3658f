// Site files of dns as lines, and what they are refused for, as tests compare it.
import { ConfigError } from '../../../../shared/errors.ts';
import { checkSite } from '../../../../shared/site/check.ts';
import { placeProblems, type ReadText, readSite } from '../../../../shared/site/file.ts';

/** Every problem as `line:column message (remedy)`. */
export function problemsOf(text: string, check = checkSite, read?: ReadText): string[] {
  try {
    const site = readSite([{ file: 'site.yaml', text, ...(read === undefined ? {} : { read }) }]);
    const found = placeProblems(site, check(site.objects.map(({ item }) => item)));
    if (found.length > 0) throw new ConfigError(found);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ line, column, message, remedy }) => {
      return `${line}:${column} ${message}${remedy === undefined ? '' : ` (${remedy})`}`;
    });
  }
  return [];
}

export const section = (name: string, ...lines: string[]) => [
  `${name}:`,
  ...lines.map((each) => `  - ${each}`),
];
export const records = (...lines: string[]) => section('records', ...lines);
export const pools = (...lines: string[]) => section('pools', ...lines);
export const SOA = 'soa: { primary: ns.example.com, mail: h.example.com }';
export const ZONE = section('zones', `{ zone: example.com, ${SOA} }`);
export const smart = (more: string, type = 'A') =>
  records(`{ name: w.example.com, type: ${type}, ${more} }`);
export const V4 = '{ name: p4, targets: [{ address: 192.0.2.1 }] }';
export const V6 = '{ name: p6, targets: [{ address: "2001:db8::1" }] }';
