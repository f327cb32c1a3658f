// The report as Markdown, for docs/soak.md. Pure.
import type { Facts, Verdict } from '../facts.ts';
import { escapeCell } from './escape.ts';
import {
  about,
  faultTable,
  invariantTable,
  kindTable,
  loadTable,
  type Table,
  trendTable,
} from './rows.ts';

const line = (cells: readonly string[]): string => `| ${cells.map(escapeCell).join(' | ')} |`;

function tableOf({ title, head, rows }: Table): string {
  if (rows.length === 0) return '';
  return [`## ${title}`, '', line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join(
    '\n',
  );
}

/** `outcome`: in a word or two. */
export function markdownReport(
  facts: Facts,
  verdicts: readonly Verdict[],
  outcome: string,
): string {
  const rows = about(facts).map(([name = '', text = '']) => [name, text]);
  const first = `| | |\n|---|---|\n${rows.map(line).join('\n')}`;
  const tables = [
    invariantTable(verdicts),
    faultTable(facts),
    kindTable(facts),
    loadTable(facts),
    trendTable(facts),
  ].map(tableOf);
  return `${[`# Soak: ${outcome}`, first, ...tables.filter(Boolean)].join('\n\n')}\n`;
}
