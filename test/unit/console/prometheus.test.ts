import { describe, expect, test } from 'vitest';
import { parseMetrics } from '../../../console/series/prometheus.ts';
import { ManualClock } from '../../../shared/clock.ts';
import { Metrics } from '../../../shared/metrics.ts';

const wanted = new Set(['a_total', 'b']);
const parse = (text: string) =>
  parseMetrics(text, wanted).map(({ name, labels, value }) => [name, { ...labels }, value]);

describe('the text of a metrics page', () => {
  test.each([
    ['a sample', 'a_total 12\n', [['a_total', {}, 12]]],
    ['without an end of line', 'a_total 12', [['a_total', {}, 12]]],
    ['labels', 'b{x="1",y="two words"} 1.5e3', [['b', { x: '1', y: 'two words' }, 1500]]],
    ['escapes', 'b{x="a\\"b\\\\c\\nd"} 1', [['b', { x: 'a"b\\c\nd' }, 1]]],
    ['braces in a value', 'b{x="}{"} 1', [['b', { x: '}{' }, 1]]],
    ['a comma at the end', 'b{x="1",} 1', [['b', { x: '1' }, 1]]],
    ['a time', 'b 1 1700000000000', [['b', {}, 1]]],
    ['infinity', 'b{le="+Inf"} +Inf', [['b', { le: '+Inf' }, Number.POSITIVE_INFINITY]]],
    ['comments', '# HELP b it\n# TYPE b gauge\nb 1', [['b', {}, 1]]],
    ['what nobody wants', 'c 1\nbb 2', []],
    ['NaN', 'b NaN', []],
    ['no value', 'b\nb{x="1"}\n', []],
    ['labels that never end', 'b{x="1 2\nb 3', [['b', {}, 3]]],
    ['garbage', '\0\u{1f600}{{{"\n\n=\nb 4', [['b', {}, 4]]],
    [
      'a name of the language',
      'b{__proto__="x",constructor="y"} 1',
      [['b', { ['__proto__']: 'x', constructor: 'y' }, 1]],
    ],
  ])('%s', (_, text, samples) => expect(parse(text)).toEqual(samples));

  test('is bounded, in samples and in a line', () => {
    const many = Array.from({ length: 60_000 }, (_, at) => `b{x="${at}"} 1`).join('\n');
    expect(parseMetrics(many, wanted)).toHaveLength(50_000);
    expect(parse(`b{x="${'y'.repeat(1e6)}"} 1\nb 2`)).toEqual([['b', {}, 2]]);
  });

  test('reads what our daemons write', async () => {
    const build = { service: 'dns', version: '1', nodeVersion: 'v24' };
    const metrics = new Metrics(build, new ManualClock());
    const names = new Set(['edge_build_info', 'process_cpu_seconds_total']);
    const samples = parseMetrics(await metrics.text(), names);
    metrics.close();
    expect(samples.map(({ name }) => name).sort()).toEqual([...names]);
    expect(samples.find(({ name }) => name === 'edge_build_info')?.labels).toMatchObject({
      service: 'dns',
    });
  });
});
