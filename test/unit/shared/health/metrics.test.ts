import { afterEach, expect, test } from 'vitest';
import { collectHealth, healthMetrics } from '../../../../shared/health/metrics.ts';
import type { Target } from '../../../../shared/health/types.ts';
import { lintMetrics, Metrics } from '../../../../shared/metrics.ts';
import { Cluster } from '../../../support/health/cluster.ts';

const times = { intervalMs: 5000, timeoutMs: 2000, rise: 2, fall: 3 };
const targets = ['192.0.2.1', '192.0.2.2'].map((address): Target => {
  return { address, check: { ...times, type: 'tcp', port: 80 } };
});
const cluster = new Cluster(1, targets);
afterEach(() => cluster.end());

test('names pass the lint, and a scrape shows what was measured', async () => {
  const table = healthMetrics('dns');
  expect(lintMetrics(table)).toEqual([]);
  cluster.answers.set('192.0.2.2', 'refused');
  const { health } = await cluster.join('a');
  await cluster.run(30_000);
  const metrics = new Metrics({ service: 'dns', version: '1', nodeVersion: 'v24' }, cluster.clock);
  metrics.declare(table, (own) => collectHealth(own, health));
  const text = await metrics.text();
  metrics.close();
  expect(text).toContain('edge_dns_health_targets{state="up"} 1\n');
  expect(text).toContain('edge_dns_health_targets{state="down"} 1\n');
  expect(text).toContain('edge_dns_health_mode{mode="shared"} 1\n');
  expect(text).toContain('edge_dns_health_mode{mode="alone"} 0\n');
  expect(text).toMatch(/edge_dns_health_probes_total\{type="tcp",verdict="bad"\} [1-9]/);
  expect(text).toContain('edge_dns_health_flips_total{state="down"} 1\n');
});
