import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { metricsOf, sumOf } from '../../../soak/watch/daemons.ts';
import { Lines } from '../../../soak/watch/lines.ts';
import { errorOf } from '../../../soak/watch/recorder.ts';

const directory = mkdtempSync(join(tmpdir(), 'edge-soak-'));
afterAll(() => rmSync(directory, { recursive: true }));

test('lines of a file as it grows, each once and whole', () => {
  const path = join(directory, 'log');
  const lines = new Lines(path);
  expect(lines.take()).toEqual([]);
  writeFileSync(path, 'one\ntw');
  expect(lines.take()).toEqual(['one']);
  appendFileSync(path, 'o\nthree\n');
  expect(lines.take()).toEqual(['two', 'three']);
  expect(lines.take()).toEqual([]);
  const later = new Lines(path, 'now');
  appendFileSync(path, 'four\n');
  expect(later.take()).toEqual(['four']);
});

test('what is an error in a log', () => {
  const record = (level: string) => JSON.stringify({ level, event: 'x', msg: 'y' });
  expect(errorOf('dns-1', record('error'), 5)).toMatchObject({ event: 'x', message: 'y', atMs: 5 });
  expect(errorOf('dns-1', record('warn'), 5)).toBeUndefined();
  expect(errorOf('dns-1', 'Error: thrown', 5)).toMatchObject({ event: 'stderr' });
});

test('metrics, and the sum of one over its labels', () => {
  const metrics = metricsOf('# HELP a\nedge_a{x="1"} 2\nedge_a{x="2"} 3.5\nedge_ab 7\n200\n');
  expect(sumOf(metrics, 'edge_a')).toBe(5.5);
  expect(sumOf(metrics, 'edge_b')).toBeUndefined();
});
