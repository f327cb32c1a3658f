// GET /leases among many: what an operator asks does not hold up the clients.
import { expect, test } from 'vitest';
import { clientIdOfMac, leasePage, readLeaseQuery } from '../../../../dhcpd/admin/lease-pages.ts';
import { encodeRecord, packKey } from '../../../../dhcpd/leases/record.ts';
import { Replica } from '../../../../dhcpd/leases/replica.ts';
import { STATE } from '../../../../dhcpd/leases/types.ts';
import type { DhcpdService } from '../../../../dhcpd/service.ts';
import type { Ipv4 } from '../../../../shared/net/ipv4.ts';

const BLOCKS = Array.from({ length: 64 }, (_, at) => 0x0a0000 + at);
const macOf = (address: number): Uint8Array =>
  Uint8Array.of(2, 0xbb, 10, (address >> 16) & 255, (address >> 8) & 255, address & 255);

/** As much of one as the page looks at, with every address of the blocks bound. */
function service(): DhcpdService {
  const replica = new Replica(1);
  for (const block of BLOCKS) {
    for (let octet = 0; octet < 256; octet++) {
      const address = block * 256 + octet;
      const chaddr = macOf(address);
      const packedKey = packKey(Uint8Array.of(0, 1, ...chaddr));
      replica.put(address, encodeRecord({ state: STATE.bound, htype: 1, chaddr, packedKey }), 0);
    }
  }
  return serviceOf(replica, BLOCKS);
}

function serviceOf(replica: Replica, blocks: readonly number[]): DhcpdService {
  const book = { get: (one: Ipv4) => replica.get(one), nowSeconds: () => 1, isHeld: () => true };
  const options = { backend: { blocks: async () => blocks }, config: { node: 'one' } };
  return { book, options } as unknown as DhcpdService;
}

test('one lease of 16,384 is found by its MAC, and others have their turns meanwhile', async () => {
  const wanted = 0x0a003f07;
  let turns = 0;
  const count = (): void => {
    turns++;
    timer = setImmediate(count);
  };
  let timer = setImmediate(count);
  const mac = Buffer.from(macOf(wanted))
    .toString('hex')
    .replace(/..(?=.)/g, '$&:');
  const page = await leasePage(service(), readLeaseQuery(new URLSearchParams({ mac })));
  clearImmediate(timer);
  expect(page).toMatchObject({ leases: [{ address: '10.0.63.7', mac }] });
  expect(turns).toBeGreaterThanOrEqual(3);
});

/** A reserve of an instance, and a client with two leases: the newer one by its identifier. */
function few(): DhcpdService {
  const replica = new Replica(1);
  const chaddr = macOf(1);
  const records = [
    { state: STATE.reserved },
    { state: STATE.free, boundAt: 5, key: Uint8Array.of(0, 1, ...chaddr) },
    { state: STATE.bound, boundAt: 7, key: Uint8Array.of(1, 1, ...chaddr) },
  ];
  for (const [at, { key, ...record }] of records.entries()) {
    const packedKey = key === undefined ? {} : { packedKey: packKey(key), htype: 1, chaddr };
    replica.put(0x0a000000 + at, encodeRecord({ ...record, ...packedKey }), 0);
  }
  return serviceOf(replica, [0x0a0000]);
}

test.each([
  ['', ['10.0.0.1', '10.0.0.2']],
  ['state=reserved', ['10.0.0.0']],
  ['address=10.0.0.0', ['10.0.0.0']],
])('what is held in reserve is told only when it is asked for: %s', async (query, addresses) => {
  const page = await leasePage(few(), readLeaseQuery(new URLSearchParams(query)));
  expect(page).toMatchObject({ leases: addresses.map((address) => ({ address })) });
});

test('a client identifier is told, and the newest lease of a MAC says it', async () => {
  const id = `01${Buffer.from(macOf(1)).toString('hex')}`;
  const query = readLeaseQuery(new URLSearchParams('state=bound'));
  expect(await leasePage(few(), query)).toMatchObject({ leases: [{ clientId: id }] });
  expect(await clientIdOfMac(few(), macOf(1))).toBe(id);
  expect(await clientIdOfMac(few(), macOf(2))).toBeUndefined();
});
