// Which leases a change of the site would break.
import { expect, test } from 'vitest';
import { formatIpv4, parseIpv4 } from '../../../../shared/net/ipv4.ts';
import { parseMac } from '../../../../shared/net/mac.ts';
import { readSite } from '../../../../shared/site/file.ts';
import { brokenLeases, type LiveLease } from '../../../../shared/site/lease-impact.ts';

const objectsOf = (text: string) =>
  readSite([{ file: 'site.yaml', text }]).objects.map(({ item }) => item);

function lease(address: string, mac?: string, clientId?: string): LiveLease {
  const parsed = parseIpv4(address);
  if (parsed === undefined) throw new TypeError(address);
  const hardware = mac === undefined ? undefined : parseMac(mac);
  return {
    address: parsed,
    ...(hardware === undefined ? {} : { mac: hardware }),
    ...(clientId === undefined ? {} : { clientId }),
  };
}

const [A, B] = ['02:00:00:00:00:0a', '02:00:00:00:00:0b'];
const POOL = 'subnets:\n  - { subnet: 10.1.0.0/24, pools: [10.1.0.10-10.1.0.20] }\n';
const BARE = 'subnets:\n  - { subnet: 10.1.0.0/24 }\n';
const reserve = (...lines: string[]) =>
  `reservations:\n${lines.map((each) => `  - { ${each} }\n`).join('')}`;

test.each<[string, string, string, LiveLease, string | undefined]>([
  ['nothing changes', POOL, POOL, lease('10.1.0.10', A), undefined],
  [
    'the pool goes',
    POOL,
    BARE,
    lease('10.1.0.10', A),
    'in no pool of subnet 10.1.0.0/24, and not reserved',
  ],
  [
    'the pool shrinks',
    POOL,
    POOL.replace('.10-', '.11-'),
    lease('10.1.0.10', A),
    'in no pool of subnet 10.1.0.0/24, and not reserved',
  ],
  [
    'the pool goes, but the address is reserved for its client',
    POOL,
    BARE + reserve(`address: 10.1.0.10, mac: "${A}"`),
    lease('10.1.0.10', A),
    undefined,
  ],
  ['the subnet goes', POOL, '', lease('10.1.0.10', A), 'its subnet is gone: 10.1.0.0/24'],
  [
    'the subnet is cut',
    POOL,
    'subnets:\n  - { subnet: 10.1.0.0/28, pools: [10.1.0.10-10.1.0.14] }\n',
    lease('10.1.0.20', A),
    'its subnet is gone: 10.1.0.0/24',
  ],
  [
    'it is reserved for another MAC',
    POOL,
    POOL + reserve(`address: 10.1.0.10, mac: "${B}"`),
    lease('10.1.0.10', A),
    `reserved for another client: MAC ${B}`,
  ],
  [
    'it is reserved for another client id',
    POOL,
    POOL + reserve('address: 10.1.0.10, clientId: "01:02:03"'),
    lease('10.1.0.10', A, '010204'),
    'reserved for another client: clientId 010203',
  ],
  [
    'it is reserved for its client id',
    POOL,
    POOL + reserve('address: 10.1.0.10, clientId: "01:02:03"'),
    lease('10.1.0.10', A, '010203'),
    undefined,
  ],
  [
    'it is reserved by circuit, which no lease tells',
    POOL,
    POOL + reserve('address: 10.1.0.10, circuitId: eth0'),
    lease('10.1.0.10', A),
    undefined,
  ],
  [
    'its client gets another address',
    POOL,
    POOL + reserve(`address: 10.1.0.5, mac: "${A}"`),
    lease('10.1.0.10', A),
    'its client has 10.1.0.5 reserved',
  ],
  [
    'its client gets another address by client id',
    POOL,
    POOL + reserve('address: 10.1.0.5, clientId: "01:02:03"'),
    lease('10.1.0.10', A, '010203'),
    'its client has 10.1.0.5 reserved',
  ],
  [
    'its client gets another address in another network',
    POOL,
    `${POOL}  - { subnet: 10.2.0.0/24 }\n${reserve(`address: 10.2.0.5, mac: "${A}"`)}`,
    lease('10.1.0.10', A),
    undefined,
  ],
  [
    'its reservation goes, outside of the pool',
    POOL + reserve(`address: 10.1.0.5, mac: "${A}"`),
    POOL,
    lease('10.1.0.5', A),
    'in no pool of subnet 10.1.0.0/24, and not reserved',
  ],
  ['it was broken before', BARE, '', lease('10.1.0.10', A), undefined],
])('%s', (_, before, after, held, why) => {
  const found = brokenLeases(objectsOf(before), objectsOf(after), [held]);
  expect(found.map(({ address, why: told }) => `${formatIpv4(address)} ${told}`)).toEqual(
    why === undefined ? [] : [`${formatIpv4(held.address)} ${why}`],
  );
});
