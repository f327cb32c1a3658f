import { afterEach, expect, test } from 'vitest';
import { collectHealth, healthMetrics } from '../../../../shared/health/metrics.ts';
import { lintMetrics, Metrics } from '../../../../shared/metrics.ts';
import { HealthRig, targetAt } from '../../../support/health/rig.ts';

const rig = new HealthRig();
afterEach(() => rig.end());

test('names pass the lint, and a scrape shows what was measured', async () => {
  const table = healthMetrics('dns');
  expect(lintMetrics(table)).toEqual([]);
  rig.targets = [targetAt('192.0.2.1'), targetAt('192.0.2.2')];
  rig.answers.set('192.0.2.2', 'refused');
  const { health } = await rig.add('a');
  await rig.clock.advance(30_000);
  const metrics = new Metrics({ service: 'dns', version: '1', nodeVersion: 'v24' }, rig.clock);
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
