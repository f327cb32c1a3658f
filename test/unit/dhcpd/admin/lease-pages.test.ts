// GET /leases among many: what an operator asks does not hold up the clients.
import { expect, test } from 'vitest';
import { leasePage, readLeaseQuery } from '../../../../dhcpd/admin/lease-pages.ts';
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
  const book = { get: (one: Ipv4) => replica.get(one), nowSeconds: () => 1, isHeld: () => true };
  const options = { backend: { blocks: async () => BLOCKS }, config: { node: 'one' } };
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
