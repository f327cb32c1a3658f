import { describe, expect, test } from 'vitest';
import { parseDhcpdConfig, printDhcpdConfig, serverSettingsOf } from '../../../dhcpd/config.ts';
import { parseIpv4 } from '../../../shared/net/ipv4.ts';
import { problemsOf } from '../../support/config-problems.ts';

const load = (text: string) => parseDhcpdConfig('dhcpd.yaml', 'host-1', text);

const problems = (text: string) => problemsOf(() => load(text));

test('nothing has to be said', () => {
  const config = load('');
  expect(config).toMatchObject({ node: 'host-1', store: 'embedded', links: [], strict: false });
  expect(config.relayed.listen).toEqual([{ host: '0.0.0.0', port: 67 }]);
  expect(config.durability).toEqual({ kind: 'auto' });
  expect(config.admin.listen).toEqual({ host: '127.0.0.1', port: 9102 });
  expect(config.control.socket).toBe('/run/edge/dhcpd.sock');
});

test('what is printed loads to the same', () => {
  const text =
    'links: [eth1, eth1.20]\nserverId: 192.0.2.1\ndurability: replicas:2\nstore: redis://r:1\n';
  const config = load(text);
  expect(config.durability).toEqual({ kind: 'replicas', count: 2 });
  expect(load(printDhcpdConfig(config))).toEqual(config);
});

test('the server is told seconds and bytes', () => {
  const settings = serverSettingsOf(load('serverId: 192.0.2.1\nquarantine: 2h\noffer: 10s\n'));
  expect(settings).toMatchObject({
    node: 'host-1',
    serverId: parseIpv4('192.0.2.1'),
    offerSeconds: 10,
    declineSeconds: 7200,
    staleAfterMs: 4000,
    sharedLan: 'bucket',
  });
  expect(serverSettingsOf(load(''))).not.toHaveProperty('serverId');
});

describe('refused, at its place', () => {
  test.each([
    ['an unknown key', 'link: [eth1]\n', /^1:1: unknown key "link"/],
    ['a link twice', 'links: [a, b, a]\n', /^1:15: a is listed twice/],
    ['a name that is none', 'links: ["a b"]\n', /"a b" is not the name of a link/],
    ['a pattern in the middle', 'links: ["a*b"]\n', /"a\*b" is not the name of a link/],
    ['trust in a stranger', 'links: [a]\ntrustedLinks: [b]\n', /^2:16: b is not one of links/],
    ['nothing to serve', 'relayed: { listen: [] }\n', /^1:20: nothing would be served/],
    ['a host name', 'relayed: { listen: ["dhcp:67"] }\n', /dhcp is not an IPv4 address/],
    ['a socket twice', 'relayed: { listen: ["192.0.2.1:67", "192.0.2.1:67"] }\n', /listed twice/],
    [
      'an address that the wildcard covers',
      'relayed: { listen: ["0.0.0.0:67", "192.0.2.1:67"] }\n',
      /^1:35: 192\.0\.2\.1:67 is already covered by 0\.0\.0\.0:67/,
    ],
    ['a broadcast as identifier', 'serverId: 255.255.255.255\n', /is no address that a server/],
    ['itself as sibling', 'serverId: 192.0.2.1\nsiblingIds: [192.0.2.1]\n', /^2:14: .* itself/],
    ['a durability', 'durability: replicas:0\n', /"replicas:0" is not auto, fsync, replicas:N/],
    ['replicas of the embedded store', 'durability: replicas:1\n', /^1:13: the embedded store/],
    ['an offer beyond the reserve', 'offer: 1m\n', /^1:8: must be shorter than 1m/],
    ['a short quarantine', 'quarantine: 1m\nreuse: 1h\n', /^1:13: a declined address would/],
    ['a slow probe', 'staleAfter: 1s\nprobe: { timeout: 1s }\n', /^2:19: every probed request/],
    ['a budget under the guard', 'outage: { budget: 30s }\n', /^1:19: must be 1m or more/],
    ['half of a share', 'cacheShare: 0.6\n', /^1:13: /],
  ])('%s', (_what, text, message) => {
    expect(problems(text).join('\n')).toMatch(message);
  });

  test('all at once', () => {
    expect(problems('links: [a, a]\noffer: 2m\nserverId: 0.0.0.0\n')).toHaveLength(3);
  });
});
