import { describe, expect, test } from 'vitest';
import { EIP_SAMPLE, eipSamples } from '../../../console/collect/eip-samples.ts';
import { Rates } from '../../../console/series/rates.ts';
import { withLevel } from '../../../console/views/events.ts';
import { siteView } from '../../../console/views/site.ts';
import type { Table } from '../../../console/views/types.ts';
import { parseEip } from '../../../shared/site/eip.ts';
import {
  heard,
  NOW_MS,
  ratedBy,
  reading,
  siteReading,
} from '../../support/console/site-reading.ts';

const problems = (site: ReturnType<typeof siteReading>) =>
  siteView(site).problems.map(
    ({ level, section, what, why }) => `${level} ${section}: ${what}: ${why}`,
  );

function table(site: ReturnType<typeof siteReading>, id: string): Table {
  const found = siteView(site)
    .sections.flatMap(({ tables }) => tables)
    .find((each) => each.id === id);
  if (found === undefined) throw new Error(`no table ${id}`);
  return found;
}

describe('what is wrong now', () => {
  test('is nothing when all is well', () => {
    const view = siteView(siteReading());
    expect(view.problems).toEqual([]);
    expect(view.level).toBe('ok');
    expect(view.sections.map(({ id }) => id)).toEqual([
      'nodes',
      'eips',
      'pools',
      'dhcp',
      'dns',
      'lb',
      'store',
      'events',
    ]);
  });

  test.each([
    [
      'a silent node',
      { heard: heard('dns', { ageMs: 30_000 }) },
      'bad nodes: dns/dns-1 is silent: no heartbeat',
    ],
    [
      'one that is behind',
      { heard: heard('dns', { applied: { dns: 2, pools: 3 } }) },
      'warn nodes: dns/dns-1 is running: has dns 2 of 3',
    ],
    [
      'one that is ahead',
      { heard: heard('dns', { applied: { dns: 9, pools: 3 } }) },
      'bad nodes: dns/dns-1 is running: is ahead of the store: dns 9 of 3',
    ],
    [
      'drift',
      { heard: heard('dns', { drift: 'record x: no' }) },
      'bad nodes: dns/dns-1 is running: record x: no',
    ],
    [
      'a state',
      { heard: heard('dns', { state: 'not-ready' }) },
      'bad nodes: dns/dns-1 is not-ready: ',
    ],
    [
      'a clock',
      { heard: heard('dns', { clockMs: NOW_MS - 10_500 }) },
      'warn nodes: dns/dns-1 is running: its clock is -10.0 s off',
    ],
    [
      'pages that cannot be read',
      { problems: new Map([['/health?limit=5', 'HTTP 500']]) },
      'warn nodes: dns/dns-1 is running: /health cannot be read: HTTP 500',
    ],
    [
      'a check',
      { pages: new Map([['status', { checks: [{ name: 'canary', problem: 'no answer' }] }]]) },
      'warn nodes: dns/dns-1 is running: canary: no answer',
    ],
  ])('%s is named', (_, changes, problem) => {
    const site = siteReading({ readings: [reading('dns', changes)] });
    expect(problems(site).filter((each) => each.includes('dns/'))).toEqual([problem]);
  });

  test('failures stand before warnings', () => {
    const drain = heard('dns', { state: 'draining' });
    const readings = [
      reading('dns', { heard: drain }),
      reading('lb', { heard: heard('lb', { ageMs: 1e6 }) }),
    ];
    expect(problems(siteReading({ readings })).map((each) => each.split(':')[0])).toEqual([
      'bad nodes',
      'bad nodes',
      'bad nodes',
      'warn nodes',
    ]);
  });

  test('a service with objects and no instance is missing; one with neither is not shown', () => {
    const none = siteReading({ readings: [] });
    expect(problems(none)).toContain('bad nodes: no lb runs: the store has 7 objects for it');
    const empty = siteReading({ readings: [], store: { ...none.store, heads: new Map() } });
    expect(problems(empty)).toEqual([]);
    expect(siteView(empty).sections.map(({ id }) => id)).toEqual(['nodes', 'store', 'events']);
  });

  test('a store that is silent is told with the reason, and what was read before stays', () => {
    const site = siteReading();
    const silent = siteReading({ store: { ...site.store, problem: 'refused', ageMs: 7000 } });
    expect(problems(silent)).toEqual([
      'bad store: the store does not answer: refused (last 7 s ago)',
    ]);
    expect(table(silent, 'nodes').rows).toHaveLength(5);
  });
});

describe('tables', () => {
  test('a target that is down stands first, with the votes', () => {
    const targets = [
      { pool: 'w', address: '192.0.2.1', weight: 1, state: 'up', why: 'a up', since: null },
      {
        pool: 'w',
        address: '192.0.2.2',
        weight: 1,
        state: 'down',
        why: 'a down (refused)',
        since: '2026-01-01T11:59:00Z',
      },
      {
        pool: 'w',
        address: '192.0.2.3',
        weight: 1,
        state: 'up',
        why: '',
        override: { state: 'up', who: 'ann', why: 'x' },
      },
    ];
    const pages = new Map([['health', { total: 3, targets }]]);
    const site = siteReading({ readings: [reading('dns', { pages })] });
    const rows = table(site, 'targets').rows.map(({ level, values }) => [
      level,
      values.target,
      values.why,
    ]);
    expect(rows).toEqual([
      ['bad', '192.0.2.2', 'a down (refused)'],
      ['warn', '192.0.2.3', ''],
      ['ok', '192.0.2.1', 'a up'],
    ]);
    expect(table(site, 'targets').rows[0]?.values.sinceSeconds).toBe(60);
    expect(table(site, 'pools').rows[0]).toMatchObject({
      level: 'warn',
      values: { up: 2, targets: 3 },
    });
  });

  test('EIPs by traffic of all natters, with their limits', () => {
    const stats = (bytes: number) => ({
      eips: [
        { address: '198.51.100.7', inPackets: 1, inBytes: bytes, outPackets: 0, outBytes: 0 },
        { address: '198.51.100.8', inPackets: 1, inBytes: 10 * bytes, outPackets: 0, outBytes: 0 },
      ],
    });
    const rates = new Rates();
    rates.next(eipSamples(stats(0)), 0);
    const rated = rates.next(eipSamples(stats(1000)), 1000);
    expect(rated[0]?.name).toBe(EIP_SAMPLE);
    const eip = parseEip('198.51.100.8', '{"private":"10.0.0.8","in":160000}');
    if ('reasons' in eip) throw new Error(eip.reasons.join());
    const readings = ['a', 'b'].map((node) => reading('natter', { node, rated }));
    const site = siteReading({ readings, eips: new Map([['198.51.100.8', eip]]) });
    expect(
      table(site, 'eips').rows.map(({ level, values }) => [
        level,
        values.address,
        values.inBitsPerSecond,
        values.usedOfLimit,
      ]),
    ).toEqual([
      ['warn', '198.51.100.8', 160_000, 1],
      ['ok', '198.51.100.7', 16_000, null],
    ]);
  });

  test('a network that is full, and who failed', () => {
    const networks = [
      { network: '10.1.0.0/24', bound: 10, free: 0, declined: 0, total: 10 },
      { network: '10.2.0.0/24', bound: 1, free: 9, declined: 0, total: 10 },
    ];
    const routes = [{ route: 'shop', hosts: [], paths: ['/'], to: 'w', requests: 9, errors: 9 }];
    const requests = (count: number) =>
      `edge_lb_requests_total{listener="l",route="shop",status="2",cause="ok"} ${count}\n` +
      `edge_lb_requests_total{listener="l",route="shop",status="5",cause="no-target"} ${count}\n`;
    const site = siteReading({
      readings: [
        reading('dhcpd', { pages: new Map([['networks', { total: 2, networks }]]) }),
        reading('lb', {
          pages: new Map([['routes', { total: 1, routes }]]),
          rated: ratedBy(requests(0), requests(5)),
        }),
      ],
    });
    expect(problems(site).filter((each) => !each.includes(' no '))).toEqual([
      'bad dhcp: the pools of 10.1.0.0/24 are full: 0 of 10 addresses are free',
      'bad lb: requests of route shop fail: 50 % of them, now',
    ]);
  });

  test('events of all, newest first, from a level on', () => {
    const event = (time: string, level: string, msg: string) => ({
      time,
      level,
      msg,
      event: 'e',
      n: 1,
    });
    const of = (...events: unknown[]) => new Map([['events', { events }]]);
    const site = siteReading({
      readings: [
        reading('dns', {
          pages: of(
            event('2026-01-01T11:00:00Z', 'info', 'one'),
            event('2026-01-01T11:00:02Z', 'error', 'three'),
          ),
        }),
        reading('lb', { pages: of(event('2025-12-31T11:00:01Z', 'warn', 'two')) }),
      ],
    });
    const all = table(site, 'events');
    expect(all.rows.map(({ values }) => values.message)).toEqual(['three', 'one', 'two']);
    expect(all.rows.at(-1)?.values).toMatchObject({
      day: '2025-12-31',
      from: 'lb/lb-1',
      more: 'n=1',
    });
    expect(withLevel(all, 'warn').rows.map(({ values }) => values.message)).toEqual([
      'three',
      'two',
    ]);
  });
});
