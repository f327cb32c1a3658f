// The site files of dhcpd in the docs and in deploy/examples, and how they are stored.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkSite } from '../../../../shared/site/check.ts';
import { formatSite, readSite, type SiteSource } from '../../../../shared/site/file.ts';
import { kinds, parseObject } from '../../../../shared/site/kinds.ts';
import { homeOf, placeOf } from '../../../../shared/site/place.ts';

const root = join(import.meta.dirname, '../../../..');
const fileOf = (path: string): SiteSource => ({
  file: path,
  text: readFileSync(join(root, path), 'utf8'),
});
const page = fileOf('docs/contracts.md').text;
const section = page.slice(page.indexOf("## shared/site: dhcpd's objects"));
const documented = /```yaml\n([\s\S]*?)```/.exec(section)?.[1] ?? '';

function stored(...sources: SiteSource[]): Map<string, string> {
  const site = readSite(sources);
  expect(checkSite(site.objects.map(({ item }) => item))).toEqual([]);
  return new Map(site.objects.map(({ record: { kind, id, value } }) => [`${kind} ${id}`, value]));
}

test('the example of docs/contracts.md gives the stored values written there', () => {
  const objects = stored({ file: 'site.yaml', text: documented });
  expect([...objects.keys()]).toEqual([
    'node dhcpd/dhcpd-1',
    'class pxe-efi',
    'class ipxe',
    'class everybody',
    'l3net 10.64.0.0/16',
    'subnet 10.1.0.0/24',
    'reservation 10.1.0.5',
    'reservation 10.1.0.6',
    'reservation 10.1.0.7',
  ]);
  const shown = ['class pxe-efi', 'l3net 10.64.0.0/16', 'reservation 10.1.0.6'];
  for (const key of shown) expect(section).toContain(objects.get(key));
  expect(section).toContain(objects.get('reservation 10.1.0.7'));
  expect(objects.get('class ipxe')).toBe(
    '{"lease":{"default":600},"match":{"options":{"93":"0007"},"userClass":"69505845"}}',
  );
});

test('a subnet that says everything is stored as docs/contracts.md says', () => {
  const value = /^`(\{"authoritative".*\})`,$/m.exec(section)?.[1] ?? '';
  const item = parseObject({ kind: 'subnet', id: '10.1.0.0/24', value });
  if ('reasons' in item) throw new Error(item.reasons.join());
  expect([...stored({ file: 'a', text: formatSite([item]) }).values()]).toEqual([value]);
});

test('the example files are right, alone and together', () => {
  const dhcp = fileOf('deploy/examples/site-dhcp.yaml');
  expect(stored(dhcp).size).toBe(9);
  expect(stored(dhcp, fileOf('deploy/examples/site.yaml')).size).toBeGreaterThan(12);
});

test('the home of each kind is the first of its units', () => {
  for (const { kind, units } of kinds) expect(homeOf(kind)).toBe(units[0]);
  expect(placeOf('node', 'dhcpd/a')).toEqual({ unit: 'dhcpd', id: 'a' });
  expect(placeOf('subnet', '10.1.0.0/24')).toEqual({ unit: 'dhcpd', id: '10.1.0.0/24' });
});

test.each([
  ['subnet', '10.1.0.0/24', '{"pools":["10.1.0.9-10.1.0.1"]}', 'pools is ["10.1.0.9-10.1.0.1"]'],
  ['subnet', '10.1.0.0/24', '{"pools":["10.1.0.0/25"]}', 'pools is'],
  ['subnet', '10.1.0.0/24', '{"pools":"10.1.0.1"}', 'not a list of ranges'],
  ['subnet', '10.1.0.1/24', '{}', 'the id is not an IPv4 prefix'],
  ['subnet', '10.0.0.0/7', '{}', 'the id is not an IPv4 prefix'],
  ['subnet', '10.1.0.0/24', '{"lease":{"default":60,"min":61}}', 'lease: min 61s is longer'],
  ['subnet', '10.1.0.0/24', '{"lease":{"default":0}}', 'lease: default is 0'],
  ['subnet', '10.1.0.0/24', '{"lease":60}', 'lease is 60, not a map'],
  ['subnet', '10.1.0.0/24', '{"lease":{"most":60}}', 'lease: unknown key "most"'],
  ['subnet', '10.1.0.0/24', '{"options":{"51":"00000001"}}', 'option 51'],
  ['subnet', '10.1.0.0/24', '{"options":{"255":"00"}}', 'options: 255 is not the code'],
  ['subnet', '10.1.0.0/24', '{"options":{"224":"0"}}', 'options: 224 is not in hex'],
  ['subnet', '10.1.0.0/24', '{"ddns":{"zone":"VM"}}', 'ddns: zone is "VM"'],
  ['subnet', '10.1.0.0/24', '{"interface":"a b"}', 'interface is "a b"'],
  ['reservation', '10.1.0.5', '{}', 'exactly one of mac, clientId and circuitId'],
  ['reservation', '10.1.0.5', '{"mac":"02:00:00:00:00:0A"}', 'mac is "02:00:00:00:00:0A"'],
  ['reservation', '10.1.0.5', '{"clientId":"01"}', 'clientId has 1 bytes'],
  ['reservation', '10.1.0.5', '{"circuitId":""}', 'circuitId has 0 bytes'],
  ['reservation', '10.1.0', '{"clientId":"0102"}', 'the id is not the IPv4 address'],
  ['class', 'a b', '{}', 'the id is not a name'],
  ['class', 'a', '{"match":{}}', 'a match without a condition'],
  ['class', 'a', '{"match":{"vendorClass":"50 "}}', 'match: vendorClass is "50 "'],
  ['class', 'a', '{"match":{"architectures":[65536]}}', 'architectures is [65536]'],
  ['class', 'a', '{"match":{"options":{"0":"00"}}}', '0 is not the code of an option'],
  ['class', 'a', '{"order":-1}', 'order is -1'],
  ['l3net', '10.64.0.0/16', '{}', 'there is no host'],
  ['l3net', '10.64.0.0/31', '{"host":"a"}', 'the id is not an IPv4 prefix'],
  ['l3net', '10.64.0.0/16', '{"dns":[1],"host":"a"}', 'dns is [1]'],
  ['node', 'dhcpd/dhcpd/a', '{}', 'the id is not a name'],
  ['node', 'natter/a', '{}', 'there are no objects'],
  ['subnet', 'natter/10.1.0.0/24', '{}', 'there are no objects'],
])('%s %s %s is refused', (kind, id, value, reason) => {
  const item = parseObject({ kind, id, value });
  expect('reasons' in item ? item.reasons.join() : item).toContain(reason);
});
