import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { loadConfig, printConfig } from '../../../../shared/config/load.ts';
import {
  duration,
  endpoint,
  ipv4Address,
  name,
  port,
  rate,
} from '../../../../shared/config/types.ts';
import { ConfigError } from '../../../../shared/errors.ts';

const backend = z.strictObject({
  address: ipv4Address,
  weight: z.int().min(1).max(100).default(1),
});
const schema = z.strictObject({
  node: name.default('here'),
  timeout: duration.prefault('30s'),
  limit: rate.optional(),
  mode: z.enum(['active', 'standby']).default('active'),
  listen: z.array(endpoint).min(1).default([]),
  backends: z.array(backend).max(3).default([]),
  zones: z.record(name, z.strictObject({ port })).default({}),
  source: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('file'), path: z.string() }),
      z.strictObject({ kind: z.literal('nova'), interval: duration }),
    ])
    .optional(),
  store: z.union([z.literal('embedded'), z.strictObject({ url: z.string() })]).default('embedded'),
});

/** The heads of all messages, without source lines. */
function problems(text: string, check?: Parameters<typeof load>[1]): string[] {
  try {
    load(text, check);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((each) => {
      const remedy = each.remedy === undefined ? '' : ` (${each.remedy})`;
      return `${each.line}:${each.column}: ${each.message}${remedy}`;
    });
  }
  return [];
}

function load(
  text: string,
  check?: (
    value: z.output<typeof schema>,
    report: (path: (string | number)[], m: string) => void,
  ) => void,
) {
  return loadConfig({ file: 'c.yaml', text, schema, ...(check && { check }) });
}

describe('loadConfig', () => {
  test('turns text into what the code works with', () => {
    const text =
      'timeout: 5m\nlimit: 100mbit\nbackends:\n  - address: 192.0.2.1\nlisten: ["[::1]:80"]\n';
    expect(load(text)).toEqual({
      node: 'here',
      timeout: 300_000,
      limit: 100_000_000,
      mode: 'active',
      listen: [{ host: '::1', port: 80 }],
      backends: [{ address: 0xc0000201, weight: 1 }],
      zones: {},
      store: 'embedded',
    });
  });

  test.each(['', '\n\n', '# nothing yet\n', '---\n', '\ufeff'])('%j is all defaults', (text) => {
    expect(load(text)).toMatchObject({ node: 'here', timeout: 30_000 });
  });

  test.each<[string, string, string[]]>([
    [
      'an unknown key, with what was meant',
      'tiemout: 1s\n',
      ['1:1: unknown key "tiemout" (did you mean "timeout"?)'],
    ],
    ['an unknown key, with nothing near', 'colour: red\n', ['1:1: unknown key "colour"']],
    [
      'an unknown key deep inside',
      'backends:\n  - { address: 192.0.2.1, wieght: 3 }\n',
      ['2:27: unknown key "wieght" (did you mean "weight"?)'],
    ],
    [
      'a key that is missing, at its parent',
      'backends:\n  - weight: 3\n',
      ['2:5: "address" is missing'],
    ],
    ['a key that is missing in a named entry', 'zones:\n  a: {}\n', ['2:3: "port" is missing']],
    [
      'a malformed address',
      'backends: [{ address: 192.0.2.256 }]\n',
      ['1:23: "192.0.2.256" is not an IPv4 address such as 192.0.2.1'],
    ],
    [
      'a number where a quantity belongs',
      'limit: 100\n',
      ['1:8: expected a rate such as 100mbit, this is 100'],
    ],
    [
      'a word that is none of the choices',
      'mode: actve\n',
      ['1:7: expected "active" or "standby", this is "actve" (did you mean "active"?)'],
    ],
    [
      'a number out of range',
      'backends: [{ address: 192.0.2.1, weight: 101 }]\n',
      ['1:42: must be at most 100'],
    ],
    [
      'a fraction',
      'backends: [{ address: 192.0.2.1, weight: 1.5 }]\n',
      ['1:42: expected a whole number, this is 1.5'],
    ],
    ['a list too short', 'listen: []\n', ['1:9: must have at least 1 item']],
    ['a map where a list belongs', 'listen: {}\n', ['1:9: expected a list, this is a map']],
    ['an empty value', 'zones:\n  a: { port: }\n', ['2:14: expected a number, this is nothing']],
    [
      'a key that cannot be one',
      'zones:\n  "a b": { port: 1 }\n',
      [
        '2:3: "a b" cannot be a key here: "a b" is not a name: letters, digits, dots and dashes, 64 at most',
      ],
    ],
    [
      'an unknown kind',
      'source: { kind: nove }\n',
      ['1:17: expected "file" or "nova", this is "nove" (did you mean "nova"?)'],
    ],
    [
      'a key of the other kind',
      'source: { kind: file, path: /a, interval: 1s }\n',
      ['1:33: key "interval" does not fit here'],
    ],
    [
      'an alternative that was nearly right',
      'store: { ulr: redis://a }\n',
      ['1:1: "url" is missing', '1:10: unknown key "ulr" (did you mean "url"?)'],
    ],
    [
      'no alternative at all',
      'store: 7\n',
      ['1:8: expected "embedded", this is 7, or expected a map, this is 7'],
    ],
  ])('%s', (_, text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  test('all at once, in the order of the file', () => {
    const text = 'mode: on\nnodes: a\ntimeout: 3\nbackends:\n- address: x\n  weight: 0\n';
    expect(problems(text).map((each) => each.slice(0, 3))).toEqual([
      '1:7',
      '2:1',
      '3:1',
      '5:1',
      '6:1',
    ]);
  });

  test.each<[string, string, string]>([
    ['a duplicate key', 'mode: active\nmode: standby\n', '2:1: duplicate key "mode"'],
    ['a list that does not end', 'listen: [a\nmode: active\n', '2:'],
    ['a tab as indentation', 'backends:\n\t- a\n', '2:1: tabs are not allowed as indentation'],
    ['a list as the root', '- a\n', '1:1: expected settings as "key: value" lines'],
    ['a word as the root', 'hello\n', '1:1: expected settings'],
    ['two documents', 'mode: active\n---\nmode: standby\n', '2:1: a second document begins'],
    ['an unknown tag', 'mode: !secret a\n', '1:7: unresolved tag'],
    ['a map as a key', '? {a: 1}\n: 2\n', '1:3: a key must be a word'],
    ['an alias without its anchor', 'mode: *nope\n', '1:7: no anchor "nope" stands before this'],
    ['an anchor that holds itself', 'listen: &a [*a]\n', '1:13: anchor "a" holds itself'],
    ['a prototype', '__proto__: { mode: x }\n', '1:1: unknown key "__proto__"'],
  ])('%s is refused', (_, text, expected) => {
    expect(problems(text)[0]).toContain(expected);
  });

  test('aliases and merges work, and errors inside them have their own place', () => {
    const shared = 'backends:\n  - &one { address: 192.0.2.1, weight: 5 }\n';
    expect(load(`${shared}  - { <<: *one, address: 192.0.2.2 }\n  - *one\n`).backends).toEqual([
      { address: 0xc0000201, weight: 5 },
      { address: 0xc0000202, weight: 5 },
      { address: 0xc0000201, weight: 5 },
    ]);
    expect(
      problems('backends:\n  - &one { address: bad, weight: 5 }\n  - { <<: *one, weight: 6 }\n'),
    ).toHaveLength(2);
    expect(problems('backends:\n  - { address: bad }\n')[0]).toMatch(/^2:16/);
  });

  test('a bomb of aliases is refused quickly', () => {
    const levels = Array.from(
      { length: 9 },
      (_, i) => `  - &l${i + 1} [${`*l${i}, `.repeat(9)}*l${i}]`,
    );
    expect(problems(`listen:\n  - &l0 [x]\n${levels.join('\n')}\n`)).toEqual([
      '1:1: uses too many aliases (write the values out)',
    ]);
  });

  test.each([100, 1000, 3000, 10_000, 100_000])('%i levels do not exhaust the stack', (depth) => {
    const [open, close] = ['{a: '.repeat(depth), '}'.repeat(depth)];
    const found = problems(
      `store: ${open}1${close}\nlisten: ${'['.repeat(depth)}x${']'.repeat(depth)}\n`,
    );
    expect(found.length).toBeGreaterThan(0);
    if (depth === 100_000) expect(found.join()).toContain('is nested too deeply');
  });

  test('check sees the value and names places', () => {
    const text = 'node: a\nbackends:\n  - address: 192.0.2.1\n  - address: 192.0.2.1\n';
    const found = problems(text, (value, report) => {
      if (value.backends[0]?.address === value.backends[1]?.address) {
        report(['backends', 1, 'address'], 'is listed twice');
        report(['limit'], 'is needed with two backends');
      }
    });
    expect(found).toEqual(['1:1: is needed with two backends', '4:14: is listed twice']);
  });

  test('the whole message reads like a compiler', () => {
    expect(() => load('mode: active\r\ntiemout: 1s\r\n')).toThrow(
      'c.yaml:2:1: error: unknown key "tiemout" (did you mean "timeout"?)\n    tiemout: 1s\n    ^',
    );
  });
});

describe('loadConfig from a file', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'edge-config-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test.each<[string, Uint8Array | undefined, string]>([
    ['missing.yaml', undefined, 'missing.yaml: error: does not exist'],
    ['bytes.yaml', Uint8Array.of(0x61, 0x3a, 0x20, 0xff), 'bytes.yaml: error: is not UTF-8 text'],
    [
      'huge.yaml',
      new Uint8Array(2000).fill(0x23),
      'huge.yaml: error: has 2000 bytes, more than 1000',
    ],
  ])('%s', (file, bytes, message) => {
    const path = join(directory, file);
    if (bytes !== undefined) writeFileSync(path, bytes);
    expect(() => loadConfig({ file: path, schema, maxBytes: 1000 })).toThrow(message);
  });

  test('a file is read', () => {
    const file = join(directory, 'good.yaml');
    writeFileSync(file, 'mode: standby\n');
    expect(loadConfig({ file, schema }).mode).toBe('standby');
  });
});

describe('printConfig', () => {
  test('shows defaults as an operator would write them, and loads to the same', () => {
    const config = load(
      'limit: 1500mbit\nbackends: [{ address: 192.0.2.1 }]\nlisten: ["127.0.0.1:80"]\n',
    );
    const text = printConfig(schema, config);
    expect(text).toContain('timeout: 30s\n');
    expect(text).toContain('limit: 1500mbit\n');
    expect(text).toContain('- address: 192.0.2.1\n    weight: 1\n');
    expect(load(text)).toEqual(config);
  });

  test('hides what slipped in of a secret', () => {
    const secrets = z.strictObject({
      url: z.string(),
      dbPassword: z.string(),
      passwordFile: z.string(),
      urls: z.array(z.string()),
    });
    const text = printConfig(secrets, {
      url: 'redis://edge:pa/s@s@r1:6379/0',
      dbPassword: 'hunter2',
      passwordFile: '/etc/edge/p',
      urls: ['mysql://u:x@h'],
    });
    expect(text).not.toMatch(/hunter2|pa\/s|:x@/);
    expect(text).toContain('redis://edge:***@r1:6379/0');
    expect(text).toContain('passwordFile: /etc/edge/p');
  });
});
