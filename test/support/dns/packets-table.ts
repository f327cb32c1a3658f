// All cases of conformance over the wire, and the table of them that docs/conformance-dns.md has.
import type { ConformanceCase } from './packets-cases.ts';
import { EDNS_CASES } from './packets-cases-edns.ts';
import { HEARING_CASES } from './packets-cases-hearing.ts';
import { NAME_CASES } from './packets-cases-names.ts';
import { PEERS } from './peers.ts';

export const CASES: readonly ConformanceCase[] = [...NAME_CASES, ...HEARING_CASES, ...EDNS_CASES];

const COLUMNS = ['case', 'ours', 'counted as', 'NSD', 'Knot', 'gdnsd', 'why ours differs'];

/** As Markdown, a line each. */
export function conformanceTable(): string[] {
  const rows = CASES.map(({ what, ours, outcome, others = {}, why = '' }) => {
    const theirs = PEERS.map((peer) => others[peer] ?? '=');
    return [what, ours, `\`${outcome}\``, ...theirs, why].map(cell);
  });
  return [COLUMNS, COLUMNS.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

function cell(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('*', '\\*').replaceAll('|', '\\|');
}
