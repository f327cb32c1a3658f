import { describe, expect, test } from 'vitest';
import { parseNatterConfig, pinDirectoryOf, printNatterConfig } from '../../../natter/config.ts';
import { problemsOf } from '../../support/config-problems.ts';

const load = (text: string) => parseNatterConfig('natter.yaml', 'host-1', text);
const links = 'links: { uplink: [eth0], inside: [eth1] }\n';

const problems = (text: string) => problemsOf(() => load(text));

test('two links are all that has to be said', () => {
  const config = load(links);
  expect(config.node).toBe('host-1');
  expect(config.store).toBe('embedded');
  expect(config.announce).toMatchObject({ protocol: 157, table: 'main', perEip: false });
  expect(config.drain).toEqual({ quiet: 2000, timeout: 30_000 });
  expect(pinDirectoryOf(config)).toBe('/sys/fs/bpf/edge/default/natter');
});

test('what is printed loads to the same', () => {
  const config = load(`${links}announce: { prefixes: [198.51.100.0/24] }\nstore: redis://r:1\n`);
  expect(load(printNatterConfig(config))).toEqual(config);
});

describe('refused, at its place', () => {
  test.each([
    ['no links', 'node: a\n', /"links" is missing/],
    ['an unknown key', `${links}anounce: {}\n`, /^2:1: unknown key "anounce"/],
    [
      'one arm without inside prefixes',
      'links: { uplink: [eth0], inside: [eth0] }\n',
      /^1:\d+: eth0 is uplink and inside link/,
    ],
    ['a link twice', 'links: { uplink: [a, a], inside: [b] }\n', /a is listed twice/],
    ['host bits', `${links}announce: { prefixes: [198.51.100.1/24] }\n`, /bits set beyond \/24/],
    ['IPv6', `${links}announce: { prefixes: ["2001:db8::/32"] }\n`, /is not IPv4/],
    [
      'prefixes that overlap',
      `${links}announce: { prefixes: [198.51.100.0/24, 198.51.100.128/25] }\n`,
      /198\.51\.100\.128\/25 overlaps 198\.51\.100\.0\/24/,
    ],
    [
      'an announced inside prefix',
      `${links}insidePrefixes: [10.0.0.0/8]\nannounce: { prefixes: [10.1.0.0/16] }\n`,
      /overlaps 10\.0\.0\.0\/8 of insidePrefixes/,
    ],
    ['a bad store', `${links}store: redes://x\n`, /^2:8: the store's URL is not one of/],
    ['a dot in the instance', `${links}instance: a.b\n`, /not an instance's name/],
    ['nova without a way in', `${links}source: { nova: {} }\n`, /neither a passwordFile nor/],
    ['too many EIPs', `${links}capacity: { eips: 99999999 }\n`, /must be at most 16777216/],
  ])('%s', (_name, text, expected) => {
    expect(problems(text).join('\n')).toMatch(expected);
  });

  test('all of them at once', () => {
    expect(problems('links: { uplink: [], inside: [b] }\nbpffs: x\nwhat: 1\n')).toHaveLength(3);
  });
});
