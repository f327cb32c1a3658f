import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseConsoleConfig, printConsoleConfig } from '../../../console/config.ts';
import { problemsOf } from '../../support/config-problems.ts';

const parse = (text: string) => parseConsoleConfig('/etc/edge/console.yaml', 'host-1', text);

describe('the settings of a console', () => {
  test('nothing must be given', () => {
    const config = parse('{}');
    expect(config).toMatchObject({
      node: 'host-1',
      listen: { host: '127.0.0.1', port: 9180 },
      admin: { listen: { host: '127.0.0.1', port: 9105 } },
      interval: 5000,
      members: [],
    });
    expect(parse(printConsoleConfig(config))).toEqual(config);
  });

  test('the example is right', () => {
    const file = join(import.meta.dirname, '../../../deploy/examples/console.yaml');
    expect(parse(readFileSync(file, 'utf8')).members).toHaveLength(2);
  });

  const one = '{ service: dns, node: a, address: "127.0.0.1:1" }';
  test.each([
    ['an unknown key', 'listn: 1', ['1:1']],
    ['a store of its own', 'store: embedded', ['1:8']],
    ['a service that is none', 'members: [{ service: x, node: a, address: "a:1" }]', ['1:22']],
    ['an address without a port', 'members: [{ service: dns, node: a, address: a }]', ['1:45']],
    ['a member twice', `members: [${one}, ${one}]`, ['1:84']],
    ['no time to read', 'interval: 10ms', ['1:11']],
  ])('%s is refused, with its place', (_, text, places) => {
    const found = problemsOf(() => parse(text)).map((each) => /^\d+:\d+/.exec(each)?.[0]);
    expect(found).toEqual(places);
  });
});
