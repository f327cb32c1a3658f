import { describe, expect, test } from 'vitest';
import { judge } from '../../../soak/judge/index.ts';
import { htmlReport } from '../../../soak/report/html.ts';
import { jsonReport } from '../../../soak/report/json.ts';
import { markdownReport } from '../../../soak/report/markdown.ts';
import { plotOf, roundUp } from '../../../soak/report/plot.ts';
import { at, facts, fault, sample, tick, trouble } from '../facts.ts';

const EVIL = '<script>alert("x")</script> | & \n\'y\'';

const seen = facts({
  command: EVIL,
  machine: EVIL,
  ticks: [1, 2, 3].map((second) => tick({ atMs: at(second) })),
  troubles: [trouble({ what: EVIL }), trouble({ atMs: at(22), sinceMs: at(22), what: EVIL })],
  faults: [fault()],
  samples: [0, 5, 10].map((second) => sample({ daemon: EVIL, atMs: at(second) })),
  errors: [{ daemon: EVIL, atMs: at(9), event: EVIL, message: EVIL }],
});
const verdicts = judge(seen);

describe('the page', () => {
  const html = htmlReport(seen, verdicts, EVIL);

  test('shows what was seen as text, never as markup', () => {
    expect(html).not.toContain('<script');
    expect(html).toContain('&lt;script&gt;alert(&quot;x&quot;)');
  });

  test('needs nothing besides itself', () => {
    expect(html).not.toMatch(/\b(src|href)=|url\(|@import|https?:/);
  });

  test('has faults as bands, and a line for each daemon', () => {
    expect(html).toContain('<rect class="fault"');
    expect(html).toContain('<title>kill of lb-1</title>');
    expect(html).toContain('class="line c0"');
  });

  test('has no number that is none', () => {
    expect(html).not.toMatch(/NaN|Infinity|undefined/);
    expect(htmlReport(facts({ ticks: [], samples: [] }), [], 'of nothing')).not.toMatch(/NaN/);
  });
});

test('Markdown: a row is one line, and its cells are as many as its head has', () => {
  const markdown = markdownReport(seen, verdicts, 'broken');
  const tables = markdown.split(/\n\n/).filter((part) => part.startsWith('|'));
  expect(tables.length).toBeGreaterThan(3);
  for (const table of tables) {
    const bars = table
      .trim()
      .split('\n')
      .map((line) => line.replaceAll('\\|', '').split('|').length);
    expect(new Set(bars).size).toBe(1);
  }
  expect(markdown).not.toContain('<script');
});

test('JSON: the verdict, and each fault with what clients saw', () => {
  const report = JSON.parse(jsonReport(seen, verdicts));
  expect(report.ok).toBe(false);
  expect(report.faults[0].seen).toEqual([
    { load: 'l7-http', count: 1, allowed: expect.any(Number) },
  ]);
  const good = facts();
  expect(JSON.parse(jsonReport(good, judge(good))).ok).toBe(true);
  const cut = facts({ isInterrupted: true });
  expect(JSON.parse(jsonReport(cut, judge(cut))).ok).toBe(false);
});

test.each([
  [0, 1],
  [0.3, 0.5],
  [1, 1],
  [7, 10],
  [21, 25],
  [999, 1000],
  [Number.NaN, 1],
])('an axis up to %d ends at %d', (most, end) => expect(roundUp(most)).toBe(end));

test('a plot of nothing is one, too', () => {
  expect(plotOf({ title: 'x', unit: 'y', series: [] }, [], 0)).not.toMatch(/NaN|Infinity/);
});
