import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../shared/clock.ts';
import {
  everywhereMetrics,
  lintMetrics,
  type MetricSpec,
  Metrics,
} from '../../../shared/metrics.ts';

const opened: Metrics[] = [];
function create(): Metrics {
  const build = { service: 'natter', version: '1.2.3', nodeVersion: 'v24' };
  const metrics = new Metrics(build, systemClock);
  opened.push(metrics);
  return metrics;
}
afterEach(() => {
  for (const metrics of opened.splice(0)) metrics.close();
});

const table = {
  packets: {
    type: 'counter',
    name: 'edge_natter_packets_total',
    help: 'Packets.',
    labels: ['direction'],
  },
  entries: { type: 'gauge', name: 'edge_natter_entries', help: 'Entries.' },
  apply: {
    type: 'histogram',
    name: 'edge_natter_apply_duration_seconds',
    help: 'Time.',
    buckets: [0.1, 1],
  },
} as const;

describe('metrics', () => {
  test('every daemon says what it is and how its loop does', async () => {
    const text = await create().text();
    expect(text).toContain(
      'edge_build_info{service="natter",version="1.2.3",node_version="v24"} 1',
    );
    expect(text).toMatch(/^edge_event_loop_lag_seconds \d/m);
    expect(text).toContain('process_resident_memory_bytes');
  });

  test('a table becomes handles of its types', async () => {
    const metrics = create();
    const { packets, entries, apply } = metrics.declare(table);
    packets.add(2, { direction: 'in' });
    packets.add(undefined, { direction: 'in' });
    entries.set(7);
    apply.observe(0.5);
    const text = await metrics.text();
    expect(text).toContain('edge_natter_packets_total{direction="in"} 3');
    expect(text).toContain('edge_natter_entries 7');
    expect(text).toContain('edge_natter_apply_duration_seconds_bucket{le="1"} 1');
  });

  test('collect runs at each scrape; totals of others may restart but never fall', async () => {
    const metrics = create();
    const totals = [10, 15, 4];
    metrics.declare(table, ({ packets }) =>
      packets.setTotal(totals.shift() ?? 0, { direction: 'in' }),
    );
    const read = async () =>
      /packets_total\{direction="in"\} (\d+)/.exec(await metrics.text())?.[1];
    expect([await read(), await read(), await read()]).toEqual(['10', '15', '19']);
  });

  test('a collect that fails fails the scrape', async () => {
    const metrics = create();
    metrics.declare({}, () => {
      throw new Error('map is gone');
    });
    await expect(metrics.text()).rejects.toThrow('map is gone');
  });

  test('a blocked loop shows until it was scraped', async () => {
    const metrics = create();
    const lag = async () =>
      Number(/^edge_event_loop_lag_seconds (\S+)/m.exec(await metrics.text())?.[1]);
    await lag();
    const until = performance.now() + 300;
    while (performance.now() < until);
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(await lag()).toBeGreaterThan(0.2);
  });

  test('a name twice is refused', () => {
    const metrics = create();
    metrics.declare(table);
    expect(() => metrics.declare(table)).toThrow(/already been registered/);
  });

  test('the metrics of every daemon pass the lint', () => {
    expect(lintMetrics(everywhereMetrics)).toEqual([]);
  });

  test.each<[Partial<MetricSpec>, string]>([
    [{ name: 'natter_packets' }, 'must be edge_'],
    [{ name: 'edge_natter_Packets' }, 'must be edge_'],
    [{ name: 'edge_natter_lag_ms' }, 'base units'],
    [{ name: 'edge_natter_packets_total' }, 'counters, and only they'],
    [{ name: 'edge_natter_packets_count' }, 'reserved word'],
    [{ help: 'no sentence' }, 'must be a sentence'],
    [{ labels: ['mac'] }, 'has no bound'],
    [{ labels: ['Dir'] }, 'must be lower case'],
  ])('lint refuses %j', (change, problem) => {
    const spec = { type: 'gauge', name: 'edge_natter_entries', help: 'Entries.', ...change };
    expect(lintMetrics({ spec: spec as MetricSpec }).join()).toContain(problem);
  });
});
