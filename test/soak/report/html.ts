// The report as one page that needs nothing besides itself, in light and dark. Pure.
import type { Facts, Verdict } from '../facts.ts';
import { escapeHtml } from './escape.ts';
import { type Plot, plotOf } from './plot.ts';
import {
  about,
  errorTable,
  faultTable,
  invariantTable,
  kindTable,
  loadTable,
  type Table,
  trendTable,
  troubleTable,
} from './rows.ts';
import { bandsOf, daemonPlots, loadPlots } from './series.ts';

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --dim: #59636e; --page: #fff; --line: #d1d9e0;
  --fault: #d9770633; --good: #1a7f37; --bad: #cf222e;
  --c0: #0969da; --c1: #1a7f37; --c2: #bc4c00; --c3: #8250df; --c4: #bf3989; --c5: #0e7490;
  --c6: #9a6700; --c7: #57606a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --dim: #9198a1; --page: #0d1117;
  --line: #3d444d; --fault: #d2992240; --good: #3fb950; --bad: #f85149;
  --c0: #58a6ff; --c1: #3fb950; --c2: #f0883e; --c3: #bc8cff; --c4: #f778ba; --c5: #39c5cf;
  --c6: #d29922; --c7: #9198a1; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 88rem; background: var(--page);
  color: var(--ink); font: 14px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.held { color: var(--good); } .broken { color: var(--bad); font-weight: 600; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { color: var(--dim); font-weight: 500; white-space: nowrap; }
.about { width: auto; } .about td:first-child { white-space: nowrap; color: var(--dim); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr));
  gap: 1rem 1.5rem; }
figure { margin: 0; } figcaption { font-weight: 500; } svg { width: 100%; height: auto; }
.grid { stroke: var(--line); } .fault { fill: var(--fault); }
.axis, .value { fill: var(--dim); font-size: 11px; }
.axis { text-anchor: middle; } .value { text-anchor: end; dominant-baseline: middle; }
.line { fill: none; stroke: currentColor; stroke-width: 1.4; stroke-linejoin: round; }
.legend { font-size: 12px; } .key::before { content: '\\25AC\\00A0'; } .key { margin-right: .7em; }
${Array.from({ length: 8 }, (_, at) => `.c${at} { color: var(--c${at}); }`).join(' ')}
`;

const cell = (text: string): string => {
  const mark = text.startsWith('BROKEN') ? 'broken' : text.startsWith('held') ? 'held' : '';
  return `<td${mark === '' ? '' : ` class="${mark}"`}>${escapeHtml(text)}</td>`;
};
const row = (cells: readonly string[]): string => `<tr>${cells.map(cell).join('')}</tr>`;

function tableOf({ title, head, rows }: Table): string {
  if (rows.length === 0) return '';
  const heads = head.map((text) => `<th>${escapeHtml(text)}</th>`).join('');
  return `<h2>${escapeHtml(title)}</h2>
<div class="scroll"><table><thead><tr>${heads}</tr></thead><tbody>
${rows.map(row).join('\n')}
</tbody></table></div>`;
}

function plotsOf(title: string, plots: readonly Plot[], facts: Facts): string {
  const bands = bandsOf(facts);
  const seconds = (facts.endedAtMs - facts.startedAtMs) / 1000;
  const drawn = plots
    .filter(({ series }) => series.some(({ points }) => points.length > 0))
    .map((plot) => plotOf(plot, bands, seconds));
  return `<h2>${escapeHtml(title)}</h2><div class="plots">${drawn.join('\n')}</div>`;
}

/** `outcome`: in a word or two. */
export function htmlReport(facts: Facts, verdicts: readonly Verdict[], outcome: string): string {
  const isGood = verdicts.every(({ breaches }) => breaches.length === 0);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Soak: ${escapeHtml(outcome)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>${STYLE}</style></head>
<body><h1>Soak: <span class="${isGood ? 'held' : 'broken'}">${escapeHtml(outcome)}</span></h1>
<table class="about">${about(facts).map(row).join('')}</table>
${tableOf(invariantTable(verdicts))}
${plotsOf('Loads over time; faults are shaded', loadPlots(facts), facts)}
${tableOf(faultTable(facts))}
${plotsOf('Daemons over time', daemonPlots(facts), facts)}
${tableOf(loadTable(facts))}
${tableOf(trendTable(facts))}
${tableOf(troubleTable(facts))}
${tableOf(errorTable(facts))}
${tableOf(kindTable(facts))}
</body></html>
`;
}
