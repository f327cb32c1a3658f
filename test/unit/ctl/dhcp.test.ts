// Sites of two services: what edgectl applies, shows, waits for and drains when dhcpd is there.
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { checkSite } from '../../../shared/site/check.ts';
import { formatObject } from '../../../shared/site/kinds.ts';
import { placeOf, siteIdOf, siteRecord, storedChange, UNITS } from '../../../shared/site/place.ts';
import type { Member, ObjectRecord } from '../../../shared/store/types.ts';
import { anySiteObject } from '../../support/site-objects.ts';
import { Harness, type Result } from './harness.ts';

let site: Harness;
const at = (...argv: string[]) => site.run(...argv, '--store', 'memory:');

/** A dhcpd that has applied everything, or what `member` says. */
async function dhcpd(node: string, member: Partial<Member> = {}): Promise<void> {
  const { version } = await site.server.connect().head('dhcpd');
  const applied = { dhcpd: version };
  await site.natter(node, { service: 'dhcpd', applied, ...member });
}

function follow(): void {
  site.clock.onSleep = async () => {
    await site.natter('natter-1');
    await dhcpd('dhcpd-1');
  };
}

function apply(text: string, ...flags: string[]): Promise<Result> {
  site.stdin = text;
  return at('apply', '-f', '-', ...flags);
}

const BOTH = `
eips:
  - { address: 198.51.100.7, private: 10.1.0.10 }
subnets:
  - subnet: 10.1.0.0/24
    pools: [10.1.0.10-10.1.0.200]
    lease: { default: 10m, max: infinite }
    options: { routers: [10.1.0.1], "224": { hex: "0102" } }
reservations:
  - { address: 10.1.0.5, mac: "02:00:00:00:00:05", hostname: printer }
  - { address: 10.1.0.6, clientId: { hex: "01" }, bootFile: x }
classes:
  - { name: pxe, match: { vendorClass: "PXEClient*", architectures: [7, 9] }, bootFile: efi }
l3nets:
  - { cidr: 10.64.0.0/16, host: compute-1, dns: [10.0.0.53], mtu: 1450 }
nodes:
  - { name: host-1, drain: true }
  - { name: host-1, service: dhcpd, drain: true }
`.replace('clientId: { hex: "01" }', 'clientId: "01:02:03"');

beforeEach(async () => {
  site = new Harness();
  await site.natter('natter-1');
  await dhcpd('dhcpd-1');
  follow();
});

describe('apply', () => {
  it('stores what each unit takes, and waits for both services', async () => {
    const { code, out, err } = await apply(BOTH);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toBe(
      [
        '+ node host-1 drain yes',
        '+ eip 198.51.100.7 private 10.1.0.10',
        '+ node dhcpd/host-1 drain yes',
        '+ class pxe match vendorClass=PXEClient* architectures=7,9 bootFile efi',
        '+ l3net 10.64.0.0/16 host compute-1 dns 10.0.0.53 mtu 1450',
        '+ subnet 10.1.0.0/24 pools 10.1.0.10-10.1.0.200 lease default=10m max=infinite ' +
          'options.224 hex=0102 options.routers 10.1.0.1',
        '+ reservation 10.1.0.5 mac 02:00:00:00:00:05 hostname printer',
        '+ reservation 10.1.0.6 clientId 01:02:03 bootFile x',
        '8 added',
        'natter: version 1: in force on 1 instance',
        'dhcpd: version 1: in force on 1 instance',
        '',
      ].join('\n'),
    );
    const store = site.server.connect();
    expect(await store.get('dhcpd', 'subnet', '10.1.0.0/24')).toBe(
      '{"lease":{"default":600,"max":4294967295},"options":{"3":"0a010001","224":"0102"},' +
        '"pools":["10.1.0.10-10.1.0.200"]}',
    );
    expect(await store.get('dhcpd', 'node', 'host-1')).toBe('{"drain":true}');
    expect(await store.get('natter', 'node', 'host-1')).toBe('{"drain":true}');
    expect((await store.head('natter')).count).toBe(2);
    expect((await apply(BOTH, '--prune')).out).toMatch(/^8 unchanged\nnatter: version 1: in force/);
  });

  it('stores nothing of either when one is wrong', async () => {
    const { code, err } = await apply(BOTH.replace('10.1.0.5, mac', '10.2.0.5, mac'));
    expect(code).toBe(78);
    expect(err).toContain('stdin:10:16: error: reservation 10.2.0.5: is in no subnet');
    expect((await site.server.connect().head('natter')).version).toBe(0);
  });

  it('concerns only the service whose objects it has', async () => {
    await site.server.connect().apply('natter', [{ kind: 'eip', id: 'nonsense', value: '{' }]);
    const { code, out } = await apply('subnets:\n  - { subnet: 10.1.0.0/24 }\n', '--prune');
    expect({ code, out }).toEqual({
      code: 0,
      out: '+ subnet 10.1.0.0/24\n1 added\nversion 1: in force on 1 instance\n',
    });
  });

  it('does not wait for a service that it only looked through for what to prune', async () => {
    site = new Harness();
    await site.natter('natter-1');
    site.followed('natter-1');
    const text = 'eips:\n  - { address: 198.51.100.7 }\nnodes: []\n';
    expect((await apply(text, '--prune')).code).toBe(0);
    const again = await apply('nodes: []\n', '--prune');
    const out = 'nothing to do\nversion 1: in force on 1 instance\n';
    expect(again).toEqual({ code: 0, out, err: '' });
  });

  it('names the service that lags', async () => {
    site.clock.onSleep = async () => {
      await site.natter('natter-1');
      await dhcpd('dhcpd-1', { applied: { dhcpd: 0 }, drift: 'a pool is on fire' });
    };
    const { code, out, err } = await apply(BOTH, '--wait', '1s');
    expect(code).toBe(1);
    expect(out).toContain('\nnatter: version 1: in force on 1 instance\n');
    expect(out).not.toContain('dhcpd: version');
    expect(err).toContain('edgectl: dhcpd: stored as version 1, but not in force on 1 of 1');
    expect(err).toContain('a pool is on fire');
    const json = JSON.parse((await apply(BOTH, '--wait', '1s', '--json')).out);
    expect(json).toMatchObject({
      version: null,
      inForce: false,
      live: [{ service: 'natter' }, { service: 'dhcpd' }],
      units: [
        { unit: 'natter', version: 1, inForce: true },
        { unit: 'dhcpd', version: 1, inForce: false },
      ],
    });
  });

  it('asks before most of a kind goes, and deletes what the files list', async () => {
    await apply(BOTH);
    const pruned = await apply('reservations: []\n', '--prune');
    expect(pruned.code).toBe(1);
    expect(pruned.err).toContain('this would delete 2 of 2 reservations');
    site.stdin = BOTH;
    const deleted = await at('delete', '-f', '-', '--yes');
    expect(deleted.code).toBe(0);
    expect(deleted.out).toContain('8 deleted\nnatter: version 2');
  });
});

describe('get', () => {
  it('prints tables of each kind', async () => {
    await apply(BOTH);
    expect((await at('get', 'subnets')).out).toBe(
      [
        'SUBNET       NETWORK  POOL  LEASE  INTERFACE  RELAYS',
        '10.1.0.0/24  -         191    10m  -          -',
        '',
      ].join('\n'),
    );
    expect((await at('get', 'reservation')).out).toContain('10.1.0.6  clientId 01:02:03');
    expect((await at('get', 'class')).out).toContain('vendorClass=PXEClient* architectures=7,9');
    expect((await at('get', 'l3net', '10.64.0.0/16')).out).toContain('compute-1  10.0.0.53  1450');
    expect((await at('get', 'nodes')).out).toBe(
      'NODE    SERVICE  DRAIN\nhost-1  natter   yes\nhost-1  dhcpd    yes\n',
    );
    expect((await at('get', 'subnet', '10.9.0.0/24')).code).toBe(1);
    expect((await at('delete', 'node', 'dhcpd/host-1')).out).toContain('node dhcpd/host-1 deleted');
    expect((await at('get', 'node', 'dhcpd/host-1')).code).toBe(1);
    expect((await at('delete', 'subnet', '10.1.0.1/24')).code).toBe(2);
  });

  it('writes no section of nodes when there is none, so that prune undrains nobody', async () => {
    await apply('eips:\n  - { address: 198.51.100.7 }\n');
    for (const form of ['yaml', 'json']) {
      const { out } = await at('get', '-o', form);
      expect(out).not.toContain('nodes');
      expect(out).not.toContain('subnets');
      expect(out).toContain('forwards');
      await at('drain', 'natter-1', '--no-wait');
      expect((await apply(out, '--prune')).code).toBe(0);
      const store = site.server.connect();
      expect(await store.get('natter', 'node', 'natter-1')).toBe('{"drain":true}');
      await at('undrain', 'natter-1', '--no-wait');
      expect((await at('get', 'node', '-o', form)).out).toBe(form === 'json' ? '{}\n' : '');
    }
  });

  it('writes what can be applied again, for any site', async () => {
    const stored = fc
      .uniqueArray(anySiteObject, {
        selector: (item) => `${item.kind} ${formatObject(item).id}`,
        maxLength: 12,
      })
      .map((items) => {
        const fits: typeof items = [];
        for (const item of items) {
          if (checkSite([...fits, item]).length === 0) fits.push(item);
        }
        return fits;
      });
    await fc.assert(
      fc.asyncProperty(stored, fc.constantFrom('yaml', 'json'), async (items, form) => {
        site = new Harness();
        const store = site.server.connect();
        for (const record of items.map(formatObject)) {
          await store.apply(placeOf(record.kind, record.id).unit, [storedChange(record)]);
        }
        const versions = async () =>
          (await Promise.all(UNITS.map((unit) => store.head(unit)))).map(({ digest }) => digest);
        const before = await versions();
        const text = (await at('get', '-o', form)).out;
        const again = await apply(text, '--prune', '--no-wait');
        expect({ code: again.code, err: again.err }).toEqual({ code: 0, err: '' });
        expect(await versions()).toEqual(before);
        site = new Harness();
        expect((await apply(text, '--no-wait')).code).toBe(0);
        const fresh = site.server.connect();
        const after = await Promise.all(UNITS.map((unit) => fresh.head(unit)));
        expect(after.map(({ digest }) => digest)).toEqual(before);
      }),
      { numRuns: 60 },
    );
  });
});

describe('an id in the site', () => {
  it('tells objects of all units apart, and leads back to each', () => {
    const id = fc.oneof(
      fc.string(),
      fc.string().map((text) => `dhcpd/${text}`),
      fc.string().map((text) => `natter/${text}`),
    );
    const kind = fc.constantFrom('node', 'eip', 'subnet', 'pool');
    fc.assert(
      fc.property(fc.constantFrom(...UNITS), kind, id, (unit, of, stored) => {
        const record: ObjectRecord = { kind: of, id: stored, value: '{}' };
        const inSite = siteRecord(unit, record);
        expect(placeOf(of, inSite.id)).toEqual({ unit, id: stored });
        expect(storedChange(inSite)).toEqual(record);
        expect(siteIdOf(unit, of, stored)).toBe(inSite.id);
      }),
    );
  });
});

describe('drain', () => {
  it('finds the service by who has such a node', async () => {
    const states = ['draining', 'drained'];
    site.clock.onSleep = () => dhcpd('dhcpd-1', { state: states.shift() ?? 'drained' });
    expect(await at('drain', 'dhcpd-1')).toEqual({
      code: 0,
      out: 'node dhcpd-1 drained\n',
      err: '',
    });
    const store = site.server.connect();
    expect(await store.get('dhcpd', 'node', 'dhcpd-1')).toBe('{"drain":true}');
    expect(await store.get('natter', 'node', 'dhcpd-1')).toBeUndefined();
  });

  it('asks which one when the host runs both', async () => {
    await dhcpd('natter-1');
    const { code, err } = await at('drain', 'natter-1');
    expect(code).toBe(2);
    expect(err).toContain('natter-1 runs natter and dhcpd: say which one with --service');
    expect((await at('drain', 'natter-1', '--service', 'dhcpd', '--no-wait')).code).toBe(0);
    const store = site.server.connect();
    expect(await store.get('dhcpd', 'node', 'natter-1')).toBe('{"drain":true}');
    expect((await at('drain', 'natter-1', '--service', 'dnsd')).code).toBe(2);
  });

  it('takes the live one before one that fell silent', async () => {
    await dhcpd('natter-1');
    await site.clock.advance(60_000);
    await site.natter('natter-1');
    expect((await at('drain', 'natter-1', '--no-wait')).code).toBe(0);
    expect(await site.server.connect().get('natter', 'node', 'natter-1')).toBe('{"drain":true}');
  });

  it('knows the nodes of all services', async () => {
    const { code, err } = await at('drain', 'dhcp-1');
    expect(code).toBe(3);
    expect(err).toContain('no node "dhcp-1" (did you mean "dhcpd-1"?)');
    expect(err).toContain('known: natter-1, dhcpd-1');
  });
});

describe('status, nodes and confirm', () => {
  it('show each service', async () => {
    await apply(BOTH);
    const { code, out } = await at('status');
    expect(code).toBe(0);
    expect(out).toMatch(/^natter +1 +0 +1 running +0\.1\.0 +2 +1 +0$/m);
    expect(out).toMatch(/^dhcpd +1 +0 +1 running +0\.1\.0 +6 +1 +0$/m);
    expect((await at('nodes', '--service', 'dhcpd')).out).toMatch(/^dhcpd-1 +dhcpd +running/m);
  });

  it('confirms the unit that went back, and leaves the other', async () => {
    await apply(BOTH);
    await dhcpd('dhcpd-1', { applied: { dhcpd: 50 } });
    const { code, out } = await at('confirm', '--yes');
    expect(code).toBe(0);
    expect(out).toBe(
      '6 objects confirmed: version 1 is now 51\nversion 51: in force on 1 instance\n',
    );
    expect((await site.server.connect().head('natter')).version).toBe(1);
  });
});
