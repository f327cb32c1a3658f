// The quick readers of JSON and of one-line entries: what they take, they read as the YAML parser
// does, values and places alike.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readFlowLines } from '../../../../shared/config/flow-lines.ts';
import { readJson } from '../../../../shared/config/json.ts';
import { type Path, YamlSource } from '../../../../shared/config/yaml.ts';
import { ConfigError } from '../../../../shared/errors.ts';

/** Every path of the value, and one step beyond each. */
function* pathsOf(value: unknown, path: Path = []): Generator<Path> {
  yield path;
  yield [...path, 'absent'];
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    yield* pathsOf(inner, [...path, Array.isArray(value) ? Number(key) : key]);
  }
}

/** The same text read by the YAML parser: a document start, which no quick reader takes. */
function expectAlike(text: string): void {
  const quick = new YamlSource('f', text);
  const whole = new YamlSource('f', `---\n${text}`);
  expect(quick.value).toEqual(whole.value);
  for (const path of pathsOf(quick.value)) {
    for (const kind of ['problem', 'keyProblem'] as const) {
      const [found, expected] = [quick[kind](path, 'x'), whole[kind](path, 'x')];
      expect({ ...found, line: found.line + 1 }, `${kind} ${path.join('.')}\n${text}`).toEqual(
        expected,
      );
    }
  }
}

function braces(pairs: [string, string][]): string {
  return `{ ${pairs.map(([name, text]) => `${name}: ${text}`).join(', ')} }`;
}

const word = fc.constantFrom('10.0.0.5', '100mbit', '1.5gbit', '256kb', 'gold', 'natter-1', 'a.b');
const quoted = fc.constantFrom('1e3', 'yes', '198.51.100.8:443/tcp', 'a b', '#x', '{ a: b }', '');
const scalar = fc.oneof(
  word,
  quoted.map((text) => JSON.stringify(text)),
  fc.constantFrom('true', 'false', '0', '7', '443', '999999999999999'),
);
const key = fc.constantFrom('address', 'private', 'in', 'maxRate', 'to', '"224"', '"3"');
const within = fc.uniqueArray(fc.tuple(key, scalar), {
  selector: ([name]) => name,
  minLength: 1,
  maxLength: 2,
});
const brackets = (items: string[]) => `[${items.join(', ')}]`;
const list = fc.array(fc.oneof(scalar, within.map(braces)), { maxLength: 3 }).map(brackets);
const nested = fc.oneof(list, fc.array(list, { maxLength: 2 }).map(brackets), within.map(braces));
const value = fc.oneof({ weight: 4, arbitrary: scalar }, nested);
const flat = fc.uniqueArray(fc.tuple(key, value), { selector: ([name]) => name, minLength: 1 });
const entry = fc
  .tuple(flat, fc.option(flat))
  .map(([pairs, limit]) => braces(limit === null ? pairs : [...pairs, ['limit', braces(limit)]]));
const indent = fc.constantFrom('', '  ', '    ');
const section = fc.tuple(indent, fc.array(entry, { maxLength: 4 }), fc.boolean());
const flowLines = fc.array(section, { minLength: 1, maxLength: 3 }).map((sections) =>
  sections
    .map(([by, entries, comment], at) => {
      const lines = entries.map((text) => `${by}- ${text}\n`);
      const head = entries.length === 0 ? `s${at}: []` : `s${at}:`;
      return `${comment ? '# a comment\n\n' : ''}${head}\n${lines.join('')}`;
    })
    .join(''),
);

describe('one-line entries', () => {
  test('are read as the YAML parser reads them', () => {
    fc.assert(
      fc.property(flowLines, (text) => {
        expect(readFlowLines(text)).toBeDefined();
        expectAlike(text);
      }),
      { numRuns: 150 },
    );
  });

  test.each([
    'eips:\n  - { address: 198.51.100.7, port: 0443 }\n',
    'eips:\n  - { address: 198.51.100.7, port: -1 }\n',
    'eips:\n  - { address: 198.51.100.7, port: 9999999999999999 }\n',
    'eips:\n  - { address: 198.51.100.7, list: [1,2] }\n',
    'eips:\n  - { address: 198.51.100.7, list: [ 1 ] }\n',
    'eips:\n  - { address: 198.51.100.7, list: [1, ] }\n',
    'eips:\n  - { address: 198.51.100.7, list: [1 }\n',
    'eips:\n  - { address: 198.51.100.7, "<<": 1 }\n',
    'eips:\n  - { address: 198.51.100.7, 224: 1 }\n',
    'eips:\n  - { address: 198.51.100.7, on: null }\n',
    'eips:\n  - { address: 198.51.100.7, x: 1e3 }\n',
    'eips:\n  - { address: 198.51.100.7 } # a comment\n',
    'eips:\n  - { address: 198.51.100.7, address: 198.51.100.8 }\n',
    'eips:\n  - { address: &a 198.51.100.7 }\n',
    'eips:\n  - { address: "\\u0041" }\n',
    'eips:\n  - { address: 198.51.100.7 }\n    - { address: 198.51.100.8 }\n',
    'eips:\n  - { address: 198.51.100.7 }\neips: []\n',
    'eips: []\n  - { address: 198.51.100.7 }\n',
    'eips:\n  - address: 198.51.100.7\n',
    'eips:\r\n  - { address: 198.51.100.7 }\r\n',
    '  - { address: 198.51.100.7 }\n',
    'node: natter-1\n',
    '# nothing\n',
    '',
  ])('%j is left to the YAML parser', (text) => {
    expect(readFlowLines(text)).toBeUndefined();
  });
});

describe('JSON', () => {
  test('is read as the YAML parser reads it', () => {
    // Keys as settings have them: YAML takes a quoted `<<` for a merge.
    const word = fc.constantFrom('a', 'b b', 'c"d', 'é', '1');
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom('x', '', '"', '\\', 'a: b', '{', ']', 'ü', true, false, null, 0, -1.5, 7),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(word, tie('value'), { maxKeys: 4 }),
      ),
    }));
    const root = fc.dictionary(word, json.value);
    const indent = fc.constantFrom(undefined, 2, '\t');
    fc.assert(
      fc.property(root, indent, (value, space) => {
        const text = JSON.stringify(value, null, space);
        expect(readJson(text)?.value).toEqual(value);
        if (space !== '\t') expectAlike(text);
      }),
      { numRuns: 500 },
    );
  });

  test.each(['{"a": 1, "a": 2}', '{"a": {"b": 1, "\\u0062": 2}}', '{a: 1}', '{"a": 1,}', 'a: 1'])(
    '%j is left to the YAML parser',
    (text) => {
      expect(readJson(text)).toBeUndefined();
    },
  );

  test('a key that stands twice is refused, at its place', () => {
    const read = () => new YamlSource('f', '{\n "a": 1,\n "a": 2\n}');
    expect(read).toThrow(ConfigError);
    expect(read).toThrow('f:3:2: error: duplicate key "a"');
  });

  test('nested a hundred thousand times does not end the process', () => {
    const deep = '['.repeat(100_000);
    expect(readJson(deep + ']'.repeat(100_000))?.value).toBeDefined();
  });
});
