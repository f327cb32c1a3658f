import { describe, expect, test } from 'vitest';
import {
  ConfigError,
  describeError,
  formatProblem,
  OperationalError,
} from '../../../shared/errors.ts';

const place = { file: 'dns.yaml', line: 14, column: 7 };

describe('ConfigError', () => {
  test('reads like a compiler: place, message, remedy, line, caret', () => {
    const text = formatProblem({
      ...place,
      message: 'unknown key "wieght"',
      remedy: 'did you mean "weight"?',
      sourceLine: '    - wieght: 3',
    });
    expect(text).toBe(
      'dns.yaml:14:7: error: unknown key "wieght" (did you mean "weight"?)\n' +
        '        - wieght: 3\n' +
        '          ^',
    );
  });

  test('a problem of the whole file has no line', () => {
    const problem = { file: 'dns.yaml', line: 0, column: 0, message: 'cannot be read' };
    expect(formatProblem(problem)).toBe('dns.yaml: error: cannot be read');
  });

  test('tabs before the caret stay tabs, control characters are not printed', () => {
    const text = formatProblem({ ...place, column: 3, message: 'm', sourceLine: '\t\u001bx: 1' });
    expect(text.split('\n').slice(1)).toEqual(['    \t x: 1', '    \t ^']);
  });

  test('of a very long line only the part around the column is shown', () => {
    const sourceLine = `${'a'.repeat(5000)}X${'b'.repeat(5000)}`;
    const [, shown = '', caret = ''] = formatProblem({
      ...place,
      column: 5001,
      message: 'm',
      sourceLine,
    }).split('\n');
    expect(shown.length).toBeLessThan(120);
    expect(shown[caret.indexOf('^')]).toBe('X');
  });

  test('all problems come at once, sorted, and bounded', () => {
    const error = new ConfigError(
      Array.from({ length: 60 }, (_, i) => ({ ...place, line: 60 - i, message: `m${60 - i}` })),
    );
    const lines = error.message.split('\n');
    expect(lines[0]).toBe('dns.yaml:1:7: error: m1');
    expect(lines.at(-1)).toBe('and 10 more errors');
    expect(error.problems).toHaveLength(60);
  });
});

describe('OperationalError', () => {
  test('describes itself in a line: message, causes, remedy', () => {
    const root = new Error('ECONNREFUSED 127.0.0.1:6379');
    const error = new OperationalError('EDGE_STORE_DOWN', 'store is not reachable', {
      cause: new Error('connect failed', { cause: root }),
      remedy: 'start redis-server',
    });
    expect(describeError(error)).toBe(
      'store is not reachable: connect failed: ECONNREFUSED 127.0.0.1:6379 (start redis-server)',
    );
    expect(error).toMatchObject({ code: 'EDGE_STORE_DOWN', exitCode: 1 });
  });

  test('what is thrown without being an error is described too', () => {
    expect(describeError('plain')).toBe('plain');
  });

  test('a cause that names itself does not loop', () => {
    const error = new Error('round');
    error.cause = error;
    expect(describeError(error)).toBe('round');
  });
});
