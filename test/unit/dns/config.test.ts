import { describe, expect, test } from 'vitest';
import { parseDnsConfig, printDnsConfig } from '../../../dns/config.ts';
import { ConfigError } from '../../../shared/errors.ts';

const parse = (text: string) => parseDnsConfig('/etc/edge/dns.yaml', 'dns-1', text);

function problems(text: string): string[] {
  try {
    parse(text);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
  }
  return [];
}

describe('the settings of a dns', () => {
  test('nothing must be given', () => {
    const config = parse('{}');
    expect(config).toMatchObject({ node: 'dns-1', workers: 0, udpBytes: 1232, ecs: true });
    expect(config.listen).toEqual([
      { host: '0.0.0.0', port: 53 },
      { host: '::', port: 53 },
    ]);
    expect(parse(printDnsConfig(config))).toEqual(config);
  });

  test.each([
    ['an unknown key', 'listn: []', ['1:1 ']],
    ['a name to listen on', 'listen: ["ns.example:53"]', ['1:10 ns.example is no address']],
    ['an address twice', 'listen: ["[::1]:53", "[::1]:53"]', ['1:22 [::1]:53 is listed twice']],
    [
      'TLS without a certificate',
      'tls: { listen: ["[::]:853"] }',
      ['1:16 needs tls.certificate', '1:16 needs tls.key'],
    ],
    [
      'a zone twice',
      'zones: [{ zone: a, file: /a }, { zone: A, file: /b }]',
      ['1:40 a is listed twice'],
    ],
    [
      'cookies',
      'cookies: { enabled: false, required: true }',
      ['1:38 cookies cannot be required when they are not enabled'],
    ],
    [
      'a line beside asns',
      'lines: [{ file: /a, line: x, asns: { x: [1] } }]',
      ['1:36 has no use beside line'],
    ],
    [
      'an unknown key of transfers',
      'transfer: { keys: [k.example] }',
      ['1:20 there is no key k.example'],
    ],
    ['nowhere to listen', 'listen: []', ['1:9 nothing would be served: no address']],
  ])('%s', (_, text, expected) => {
    const found = problems(text);
    expect(found.length).toBe(expected.length);
    for (const [index, each] of expected.entries()) expect(found[index]).toContain(each);
  });
});
