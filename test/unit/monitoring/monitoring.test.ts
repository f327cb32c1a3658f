// Alert rules and the dashboard: they name only what the services export, and edgectl's own words.
import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { dashboardJson, ROWS } from '../../../deploy/monitoring/dashboard.ts';
import { YamlSource } from '../../../shared/config/yaml.ts';
import { COMMANDS } from '../../../shared/ctl/commands.ts';
import { METRICS, problemsOf, TARGET_LABELS } from './metrics-of-services.ts';
import { type Parsed, parsePromql } from './promql.ts';

const at = (path: string) => new URL(`../../../${path}`, import.meta.url);
const read = (path: string) => readFileSync(at(path), 'utf8');

type Rule = {
  record?: string;
  alert?: string;
  expr: string;
  for?: string;
  labels?: { severity: string };
  annotations?: { summary: string; description: string; runbook_url: string };
};
const file = 'deploy/monitoring/edge.rules.yaml';
const { groups } = new YamlSource(file, read(file)).value as {
  groups: { name: string; rules: Rule[] }[];
}; // as promtool checks it
const rules = groups.flatMap((group) => group.rules);
const alerts = rules.filter(({ alert }) => alert !== undefined);
const records = rules.filter(({ record }) => record !== undefined);

/** Labels that an expression may have: those it is grouped by, else those of its metrics. */
function labelsOf({ selectors, groupings }: Parsed): string[] {
  const metrics = selectors.flatMap(
    ({ metric }) => METRICS.get(metric) ?? recorded.get(metric) ?? [],
  );
  return [...TARGET_LABELS, ...groupings, ...metrics];
}
const recorded = new Map<string, readonly string[]>();
for (const { record = '', expr } of records) recorded.set(record, labelsOf(parsePromql(expr)));

const named = rules.map((rule) => [rule.alert ?? rule.record, rule] as const);

describe.each(named)('rule %s', (_, { expr, annotations }) => {
  const parsed = parsePromql(expr);

  it('names metrics and labels that are exported', () => {
    expect(parsed.selectors.length).toBeGreaterThan(0);
    expect(parsed.selectors.flatMap((selector) => problemsOf(selector, recorded))).toEqual([]);
    const known = new Set([
      ...TARGET_LABELS,
      ...parsed.selectors.flatMap(
        ({ metric }) => METRICS.get(metric) ?? recorded.get(metric) ?? [],
      ),
    ]);
    expect(parsed.groupings.filter((label) => !known.has(label))).toEqual([]);
  });

  it('compares with sane numbers', () => {
    for (const { left, value } of parsed.comparisons) {
      if (left.includes(':ratio') || /\)? \/ \w/.test(left)) expect(value).toBeLessThan(1);
      if (/_seconds$/.test(left)) expect(value).toBeLessThanOrEqual(86_400);
      expect(value).toBeGreaterThanOrEqual(0);
    }
  });

  it('shows labels that there are', () => {
    const text = JSON.stringify(annotations ?? {});
    const shown = [...text.matchAll(/\$labels\.(\w+)/g)].map(([, label = '']) => label);
    const labels = labelsOf(parsed);
    expect(shown.filter((label) => !labels.includes(label))).toEqual([]);
  });
});

describe.each(alerts)('alert $alert', ({ labels, annotations, expr }) => {
  const { summary = '', description = '', runbook_url: runbook = '' } = annotations ?? {};

  it('says what is wrong, what to do, and where that is explained', () => {
    expect(['page', 'warning', 'info']).toContain(labels?.severity);
    expect(summary).toMatch(/\S/);
    expect(summary).not.toMatch(/\.$/);
    expect(description).toMatch(/\.$/);
    const [, readme = '', heading = ''] = /^(\w+\/README\.md)#([\w-]+)$/.exec(runbook) ?? [];
    const headings = [...read(readme).matchAll(/^## (.*)$/gm)].map(([, text = '']) => text);
    expect(headings.map((text) => text.toLowerCase().replaceAll(' ', '-'))).toContain(heading);
    const metric = /edge[_:](natter|dhcpd|dns|lb)_/.exec(expr)?.[1];
    if (metric !== undefined && !expr.includes(' or ')) expect(readme).toBe(`${metric}/README.md`);
  });

  it('names commands that edgectl has', () => {
    const named = [...description.matchAll(/edgectl ((?:[a-z]+ ?)+)/g)].map(
      ([, words = '']) => words,
    );
    expect(named.length).toBeGreaterThan(0);
    const isCommand = (words: string) =>
      COMMANDS.some(({ name }) => `${words} `.startsWith(`${name} `));
    expect(named.filter((words) => !isCommand(words))).toEqual([]);
  });
});

test('every name is there once', () => {
  const names = rules.map(({ alert, record }) => alert ?? record);
  expect(names).toEqual([...new Set(names)]);
  expect(alerts.length).toBeGreaterThan(40);
});

test('the tests for promtool are of alerts that there are', () => {
  const name = 'deploy/monitoring/edge.rules.test.yaml';
  const { tests } = new YamlSource(name, read(name)).value as {
    tests: { alert_rule_test: { alertname: string }[] }[];
  };
  const tested = tests.flatMap((one) => one.alert_rule_test.map(({ alertname }) => alertname));
  expect(tested.filter((one) => !alerts.some(({ alert }) => alert === one))).toEqual([]);
  expect(new Set(tested).size).toBeGreaterThanOrEqual(5);
});

describe('prometheus.yaml', () => {
  const name = 'deploy/monitoring/prometheus.yaml';
  const { scrape_configs: jobs } = new YamlSource(name, read(name)).value as {
    scrape_configs: {
      job_name: string;
      authorization: object;
      static_configs: { targets: string[]; labels: object }[];
    }[];
  };

  it.each(jobs)('job $job_name has a token, and a node of each target', (job) => {
    expect(job.job_name).toMatch(/^edge-(natter|dhcpd|dns|lb)$/);
    expect(job.authorization).toHaveProperty('credentials_file');
    for (const { labels } of job.static_configs) expect(labels).toHaveProperty('node');
  });

  it('has a job for each service', () => {
    expect(jobs).toHaveLength(4);
  });
});

describe('the dashboard', () => {
  const queries = ROWS.flatMap(({ panels }) => panels.flatMap((panel) => panel.queries));

  it('is what dashboard.ts says: node deploy/monitoring/dashboard.ts', () => {
    expect(read('deploy/monitoring/dashboard.json')).toBe(dashboardJson());
  });

  it.each(queries)('%s', (expression, legend) => {
    const parsed = parsePromql(expression);
    expect(parsed.selectors.flatMap((selector) => problemsOf(selector, recorded))).toEqual([]);
    const shown = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
    const labels = labelsOf(parsed);
    expect(shown.filter((label) => !labels.includes(label))).toEqual([]);
  });

  it('fits: at most 30 panels, none over another, none beyond the edge', () => {
    const { panels } = JSON.parse(dashboardJson()) as {
      panels: {
        id: number;
        type: string;
        gridPos: { x: number; y: number; w: number; h: number };
      }[];
    };
    expect(panels.filter(({ type }) => type !== 'row').length).toBeLessThanOrEqual(30);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { gridPos } of panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x} ${y}`)).toBe(false);
          taken.add(`${x} ${y}`);
        }
      }
    }
  });
});

describe('an expression that is none', () => {
  it.each([
    ['', 'an operand is missing'],
    ['sum by (a (edge_ready)', 'missing'],
    ['rate(edge_ready[5x])', 'a range is missing'],
    ['edge_ready{node}', 'a matcher is missing'],
    ['edge_ready ==', 'an operand is missing'],
    ['edge_ready) > 0', 'the end is missing'],
    ['edge_ready > 0 ?', 'no token'],
  ])('%j is refused', (text, message) => {
    expect(() => parsePromql(text)).toThrow(message);
  });

  it.each([
    ['edge_redy == 0', 'there is no metric edge_redy'],
    ['edge_ready{pool="a"} == 0', 'edge_ready has no label pool'],
    ['edge_natter_packets_total{reason="DROP_X"}', 'no reason is DROP_X'],
  ])('%s is found', (text, message) => {
    const found = parsePromql(text).selectors.flatMap((one) => problemsOf(one, recorded));
    expect(found).toEqual([expect.stringContaining(message)]);
  });
});
