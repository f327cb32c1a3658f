import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergeSaid, parseAgentLine, wordOf } from '../../../../lb/agent/line.ts';

test.each<[string, object]>([
  ['75%', { weightPercent: 75 }],
  ['0%', { weightPercent: 0 }],
  ['1000%', { weightPercent: 1000 }],
  ['up', { health: 'up' }],
  ['down', { health: 'down' }],
  ['stopped', { health: 'down' }],
  ['fail', { health: 'down' }],
  ['ready', { wish: 'ready' }],
  ['drain', { wish: 'drain' }],
  ['maint', { wish: 'maint' }],
  ['maxconn:30', { maxRequests: 30 }],
  ['maxconn:0', { maxRequests: 0 }],
  ['down#disk full', { health: 'down', why: 'disk full' }],
  ['down # disk, 100% full, up', { health: 'down', why: 'disk, 100% full, up' }],
  ['fail#', { health: 'down' }],
  ['up, ready\t50% ,maxconn:8', { health: 'up', wish: 'ready', weightPercent: 50, maxRequests: 8 }],
  ['UP Ready 50% MaxConn:8', { health: 'up', wish: 'ready', weightPercent: 50, maxRequests: 8 }],
  ['up down', { health: 'down' }],
  ['50% 20%', { weightPercent: 20 }],
  ['up\r', { health: 'up' }],
  ['', {}],
  ['down#caf\xe9\x07', { health: 'down', why: 'caf??' }],
])('%j', (line, said) => {
  expect(parseAgentLine(line)).toEqual({ ...said, unknown: [] });
});

test.each([
  '75',
  '-5%',
  '7.5%',
  '1001%',
  '%',
  'maxconn:',
  'maxconn:-1',
  'maxconn:1e9',
  'maxconn:9999999999',
  'weight:5',
  'constructor',
])('%j means nothing, and what is beside it counts', (word) => {
  expect(parseAgentLine(`${word} up`)).toEqual({ health: 'up', unknown: [word] });
});

test('whatever comes is bounded and printable', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (line) => {
      const { unknown, why = '' } = parseAgentLine(line);
      for (const text of [...unknown, why]) {
        expect(text).toMatch(/^[\x20-\x7e]*$/);
        expect(text.length).toBeLessThanOrEqual(200);
      }
      expect(unknown.length).toBeLessThanOrEqual(8);
    }),
  );
});

test.each<[string[], object]>([
  [['up 75%'], { state: 'up', weightPercent: 75 }],
  [['75%'], { weightPercent: 75 }],
  [['75%', 'up'], { state: 'up', weightPercent: 75 }],
  [['down#disk', '50%'], { state: 'down', weightPercent: 50, why: 'disk' }],
  [['down#disk', 'up'], { state: 'up' }],
  [['drain', 'up'], { state: 'drain' }],
  [['drain', 'up ready'], { state: 'up' }],
  [['maint', 'up'], { state: 'down' }],
  [['maint', 'ready'], { state: 'up' }],
  [['down', 'ready'], { state: 'down' }],
  [['down drain'], { state: 'down' }],
  [['maxconn:5', '80%', 'maxconn:0'], { maxRequests: 0, weightPercent: 80 }],
  [['nonsense'], {}],
])('%j: what a line does not name stays', (lines, word) => {
  const said = lines.reduce((before, line) => mergeSaid(before, parseAgentLine(line)), {});
  expect(wordOf(said)).toEqual(word);
});
