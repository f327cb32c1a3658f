import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SeriesBook } from '../../../console/series/book.ts';
import { linesOf, PLOTS, quantilesOf } from '../../../console/series/plots.ts';
import { parseMetrics } from '../../../console/series/prometheus.ts';
import { Rates } from '../../../console/series/rates.ts';
import { Rings } from '../../../console/series/rings.ts';

const names = new Set(PLOTS.map(({ metric }) => metric));
const sample = (value: number, key = 'a') => ({ name: 'a', labels: {}, value, key });

describe('rates', () => {
  test('are known from the second time on', () => {
    const rates = new Rates();
    expect(rates.next([sample(100)], 1000)[0]?.perSecond).toBeUndefined();
    expect(rates.next([sample(150)], 3000)[0]?.perSecond).toBe(25);
  });

  test('a counter that began anew has grown from 0, and so has a new one', () => {
    const rates = new Rates();
    rates.next([sample(100)], 0);
    const found = rates.next([sample(30), sample(7, 'b')], 1000);
    expect(found.map(({ perSecond }) => perSecond)).toEqual([30, 7]);
  });

  test('are never negative', () => {
    const values = fc.array(fc.nat(), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(values, (counts) => {
        const rates = new Rates();
        const seen = counts.map((count, at) => rates.next([sample(count)], at * 500)[0]?.perSecond);
        return seen.slice(1).every((each) => each !== undefined && each >= 0);
      }),
    );
  });
});

describe('rings', () => {
  test('keep so many ticks, with nothing where nothing was told', () => {
    const rings = new Rings(3, 10);
    for (let at = 1; at <= 5; at++) rings.tick(at, new Map(at === 4 ? [] : [['x', at * 10]]));
    expect(rings.points()).toEqual({
      times: [3, 4, 5],
      series: [{ name: 'x', values: [30, null, 50] }],
    });
  });

  test('a late line has nothing before it; one that is silent for all of it is forgotten', () => {
    const rings = new Rings(3, 10);
    rings.tick(1, new Map([['old', 1]]));
    rings.tick(2, new Map([['new', 2]]));
    expect(rings.points().series[1]).toEqual({ name: 'new', values: [null, 2] });
    for (let at = 3; at < 6; at++) rings.tick(at, new Map([['new', at]]));
    expect(rings.names).toEqual(['new']);
  });

  test('have room for so many lines', () => {
    const rings = new Rings(3, 2);
    rings.tick(
      1,
      new Map([
        ['a', 1],
        ['b', 2],
        ['c', 3],
      ]),
    );
    expect(rings.names).toEqual(['a', 'b']);
  });
});

describe('plots', () => {
  const rated = (text: string, later: string) => {
    const rates = new Rates();
    rates.next(parseMetrics(text, names), 0);
    return rates.next(parseMetrics(later, names), 2000);
  };
  const spec = (id: string) => PLOTS.find((each) => each.id === id) ?? PLOTS[0];
  const lines = (id: string, before: string, after: string) => {
    const found = spec(id);
    if (found === undefined) throw new Error(id);
    const one = { service: 'natter', node: 'n1', rated: rated(before, after) };
    return Object.fromEntries(linesOf(found, [one, { ...one, node: 'n2' }]));
  };
  const bytes = (into: number, out: number, dropped: number) =>
    `edge_natter_bytes_total{reason="IN_REDIRECTED"} ${into}\n` +
    `edge_natter_bytes_total{reason="OUT_REDIRECTED"} ${out}\n` +
    `edge_natter_bytes_total{reason="PASS_NOT_EIP"} 999\n` +
    `edge_natter_packets_total{reason="DROP_LIMIT_IN"} ${dropped}\n`;

  test('add up what all members count, in the unit of the plot', () => {
    const [before, after] = [bytes(0, 0, 0), bytes(1000, 500, 4)];
    expect(lines('natter-bits', before, after)).toEqual({ in: 8000, out: 4000 });
    expect(lines('natter-drops', before, after)).toEqual({ 'limit in': 4 });
  });

  test('name daemons by themselves, and gauges as they are', () => {
    const memory = 'process_resident_memory_bytes 1000\n';
    expect(lines('daemon-rss', memory, memory)).toEqual({ 'natter/n1': 1000, 'natter/n2': 1000 });
  });

  test('of latency: the bounds below which so many ended', () => {
    const within = new Map([
      ['0.1', 90],
      ['0.001', 50],
      ['+Inf', 100],
      ['1', 99],
    ]);
    expect([...quantilesOf(within).values()]).toEqual([0.001, 1]);
    expect(quantilesOf(new Map([['+Inf', 0]])).size).toBe(0);
  });

  test('an hour of them: twelve lines, the rest added up; none that counted nothing', () => {
    const book = new SeriesBook(1000);
    const text = (count: number) =>
      Array.from(
        { length: 40 },
        (_, at) => `edge_dns_line_answers_total{line="l${at}"} ${count * at}`,
      ).join('\n');
    book.tick(1000, [{ service: 'dns', node: 'a', rated: rated(text(0), text(2)) }]);
    const [plot] = book.plots();
    expect(plot).toMatchObject({ id: 'dns-lines', unit: 'rate', times: [1] });
    const shown = plot?.series.map(({ name }) => name) ?? [];
    expect(shown).toHaveLength(12);
    expect([shown[0], shown.at(-1)]).toEqual(['l39', 'others']);
    const sum = plot?.series.reduce((total, { values }) => total + (values[0] ?? 0), 0);
    expect(sum).toBe((39 * 40) / 2);
  });

  test('a service that counted nothing yet has a line of zeros', () => {
    const book = new SeriesBook(1000);
    const text = 'edge_dns_line_answers_total{line="a"} 0';
    book.tick(1000, [{ service: 'dns', node: 'a', rated: rated(text, text) }]);
    expect(book.plots()[0]?.series).toEqual([{ name: 'none', values: [0] }]);
  });
});
