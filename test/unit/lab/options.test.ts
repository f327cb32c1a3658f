// `npm start`'s command line: what is wanted by default, parts, and what is refused.
import { describe, expect, test } from 'vitest';
import { parseStart, SERVICES } from '../../../lab/options.ts';

const SITE = {
  kind: 'site',
  once: false,
  port: 9101,
  services: new Set(SERVICES),
  isps: 3,
  natters: 2,
  spray: false,
};
const HOST = { kind: 'host', once: false, directory: '/run/edge-host', keep: false };

describe.each([
  ['', SITE],
  ['--once', { ...SITE, once: true }],
  ['--natters 3 --spray', { ...SITE, natters: 3, spray: true }],
  ['--services natter,dns --isps 2', { ...SITE, services: new Set(['natter', 'dns']), isps: 2 }],
  ['--services lb', { ...SITE, services: new Set(['lb']), natters: 0 }],
  ['--services lb,dhcpd,lb', { ...SITE, services: new Set(['dhcpd', 'lb']), natters: 0 }],
  ['--isps 8 --port 20000', { ...SITE, isps: 8, port: 20_000 }],
  ['--host', HOST],
  ['--host --once --keep', { ...HOST, once: true, keep: true }],
  [
    '--host --interface eth1 --directory /tmp/x',
    { ...HOST, interface: 'eth1', directory: '/tmp/x' },
  ],
  ['--host --help', { kind: 'help' }],
])('%s', (words, wanted) => {
  const argv = words.split(' ').filter(Boolean);

  test('is understood', () => {
    expect(parseStart(argv, true)).toEqual(wanted);
  });

  test('ends by itself without a terminal', () => {
    expect(parseStart(argv, false)).toEqual('once' in wanted ? { ...wanted, once: true } : wanted);
  });
});

test.each([
  ['--services nat', 'there is no nat: choose of natter, dhcpd, dns, lb'],
  ['--services natter,console', 'there is no console: choose of natter, dhcpd, dns, lb'],
  ['--services ,', 'names none: choose of natter, dhcpd, dns, lb'],
  ['--services=', 'names none: choose of natter, dhcpd, dns, lb'],
  ['--isps 0', '--isps 0: not between 1 and 8'],
  ['--isps 9', '--isps 9: not between 1 and 8'],
  ['--isps two', '--isps two: not between 1 and 8'],
  ['--isps 1e0', '--isps 1e0: not between 1 and 8'],
  ['--natters 33', '--natters 33: not between 1 and 32'],
  ['--services dns --natters 2', '--natters: natter is not among --services'],
  ['--port 0', '--port 0: not between 1 and 65000'],
  ['--keep', '--keep: only with --host'],
  ['--interface eth0', '--interface: only with --host'],
  ['--host --services dns', '--services: not with --host'],
  ['--host --interface a/b', 'is not the name of a link'],
  ['--host --directory here', 'not an absolute path'],
  ['--host --directory /', 'not an absolute path'],
  ['--nonsense', "Unknown option '--nonsense'"],
  ['now', "Unexpected argument 'now'"],
  ['--isps', "'--isps <value>' argument missing"],
])('%s is refused', (words, why) => {
  const parse = () => parseStart(words.split(' '), true);
  expect(parse).toThrow(RangeError);
  expect(parse).toThrow(why);
});
