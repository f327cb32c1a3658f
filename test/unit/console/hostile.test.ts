// Whatever a member or the store says, the page stays a page: escaped, bounded, made in time.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Reading } from '../../../console/collect/types.ts';
import { partsOf, renderPage } from '../../../console/html/page.ts';
import { html } from '../../../console/html/text.ts';
import { SeriesBook } from '../../../console/series/book.ts';
import { siteView } from '../../../console/views/site.ts';
import { SERVICES } from '../../../shared/site/place.ts';
import { heard, ratedBy, reading, siteReading } from '../../support/console/site-reading.ts';

const assets = { css: '/a', js: '/b', plotCss: '/c', plotJs: '/d', icon: '/e' };

function page(readings: readonly Reading[]): string {
  const site = siteReading({ readings });
  const book = new SeriesBook(1000);
  book.tick(site.nowMs, readings);
  const chosen = { theme: 'auto', level: 'info' } as const;
  const [view, plots] = [siteView(site), book.plots()];
  const parts = partsOf(view, plots, chosen);
  return renderPage(view, plots, parts, { ...chosen, intervalMs: 5000, assets });
}

const EVIL = `"><script>alert(1)</script><img src=x onerror='alert(2)'>`;
const PAGES = [
  'status',
  'events',
  'stats',
  'networks',
  'leases',
  'health',
  'targets',
  'listeners',
  'routes',
  'servers',
  'pools',
];

/** A row of every kind that any page has, each of its values the same. */
function rowsOf(value: unknown, count: number): Record<string, unknown> {
  const keys = [
    'address',
    'pool',
    'target',
    'state',
    'why',
    'name',
    'problem',
    'network',
    'mac',
    'hostname',
    'listener',
    'protocol',
    'route',
    'to',
    'server',
    'mode',
    'zone',
    'source',
    'level',
    'event',
    'msg',
    'time',
    'health',
    'skipped',
    'bound',
    'free',
    'total',
    'open',
    'hosts',
    'at',
    'problems',
    'override',
  ];
  const row = Object.fromEntries(keys.map((key) => [key, value]));
  const rows = Array.from({ length: count }, (_, at) => ({
    ...row,
    target: `${at}`,
    address: `${at}`,
  }));
  const lists = [
    'events',
    'eips',
    'networks',
    'leases',
    'targets',
    'listeners',
    'routes',
    'servers',
    'pools',
    'zones',
    'checks',
  ];
  return Object.fromEntries(lists.map((list) => [list, rows]));
}

const all = (value: unknown, count = 1) => {
  const rows = rowsOf(value, count);
  const pages = new Map(PAGES.map((name) => [name, rows]));
  return SERVICES.map((service) => reading(service, { pages }));
};

describe('hostile members', () => {
  test('are escaped in every table', () => {
    const text = page([
      ...all(EVIL),
      reading('lb', {
        node: EVIL,
        heard: heard('lb', { node: EVIL, version: EVIL, state: EVIL, drift: EVIL, address: EVIL }),
        problems: new Map([[EVIL, EVIL]]),
        rated: ratedBy('', `edge_dns_line_answers_total{line="${EVIL.replaceAll('"', '\\"')}"} 9`),
      }),
    ]);
    expect(text).not.toContain('<script>alert');
    expect(text).not.toContain('<img');
    expect(text.match(/&lt;script&gt;/g)?.length).toBeGreaterThan(10);
  });

  test('any JSON is a page', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const odd = SERVICES.map((service) =>
          reading(service, { pages: new Map(PAGES.map((name) => [name, value])) }),
        );
        expect(page([...odd, ...all(value)])).toContain('</html>');
      }),
      { numRuns: 30 },
    );
  });

  test('a hundred thousand targets are a bounded page', () => {
    const text = page(all('x'.repeat(500), 100_000));
    expect(text.length).toBeLessThan(5_000_000);
    expect(text).toContain('100 of 1\u202f0');
  });

  test('what turns the direction of text, or ends lines, is taken out', () => {
    expect(page(all('a\u202eb\u0000c\nd'))).toContain('a b c d');
  });
});

test('html escapes what is put into it, and joins lists', () => {
  const list = ['<', '&'].map((each) => html`<i>${each}</i>`);
  expect(html`<b title="${'"'}">${list}${false}${undefined}${3}</b>`.text).toBe(
    '<b title="&quot;"><i>&lt;</i><i>&amp;</i>3</b>',
  );
});
