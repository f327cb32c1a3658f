import { describe, expect, test } from 'vitest';
import { decodeJournal, Journal } from '../../../../dhcpd/leases/journal.ts';
import { encodeRecord } from '../../../../dhcpd/leases/record.ts';
import { BookRig, clientOf, MemoryDisk, poolOf } from '../../../support/dhcp/book-rig.ts';

const pool = poolOf('10.0.0.10', '10.0.0.99');

describe('the journal', () => {
  test('gives back what was whole, whatever the end looks like', async () => {
    const disk = new MemoryDisk();
    const journal = new Journal(disk);
    for (let i = 0; i < 3; i++) await journal.append(0x0a000000 + i, encodeRecord({ state: 1 }));
    const bytes = await disk.readJournal();
    const whole = bytes.length / 3;
    for (let length = 0; length <= bytes.length; length++)
      expect(decodeJournal(bytes.subarray(0, length)).length).toBe(Math.floor(length / whole));
    bytes[whole + 10] = 7;
    expect(decodeJournal(bytes).map(([address]) => address & 255)).toEqual([0, 2]);
    // What a full disk tore stands before what was written when it had room again.
    const torn = Buffer.concat([bytes.subarray(0, 30), bytes.subarray(2 * whole)]);
    expect(decodeJournal(torn).map(([address]) => address & 255)).toEqual([2]);
  });

  test('stays when something came since it was told', async () => {
    const disk = new MemoryDisk();
    const journal = new Journal(disk);
    await journal.append(1, encodeRecord({ state: 1 }));
    const told = journal.entries();
    await journal.append(2, encodeRecord({ state: 1 }));
    await journal.clear(told);
    expect(journal.size).toBe(1);
    expect(disk.journal.length).toBe(2);
  });
});

describe('the snapshot', () => {
  async function stopped() {
    const rig = new BookRig({ pools: [pool] });
    const first = await rig.started(1);
    const address = await rig.lease(first.book, 1);
    await rig.run(first.book.stop());
    first.crash();
    return { rig, disk: first.disk, address };
  }

  test('serves renewals after a start without Redis', async () => {
    const { rig, disk, address } = await stopped();
    rig.model.kill();
    const { book } = await rig.started(1, { disk });
    expect(book.condition).toBe('isolated');
    expect(await rig.renew(book, 1, address)).toMatchObject({ outcome: 'bound' });
    expect(book.ofClient(clientOf(1).key, () => true)?.address).toBe(address);
  });

  test('is refused when a byte of it is another, and when it is cut off', async () => {
    const { rig, disk } = await stopped();
    rig.model.kill();
    const whole = Buffer.concat(disk.snapshot ?? []);
    const cases = [
      ...[0, 30, 200, 700, whole.length - 2].map((at) => {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        return bytes;
      }),
      ...[0, 10, 100, whole.length - 1].map((length) => whole.subarray(0, length)),
    ];
    for (const bytes of cases) {
      disk.snapshot = [bytes];
      const { events, book } = await rig.started(1, { disk });
      expect(events).toContain('book-snapshot-refused');
      expect(book.status().records).toBe(0);
    }
  });
});
