// The snapshot of leases as a file: what was opened is closed.

import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Ground } from '../../../../dhcpd/leases/ground.ts';
import type { BookDisk } from '../../../../dhcpd/leases/options.ts';
import { readSnapshot } from '../../../../dhcpd/leases/snapshot.ts';

const head = { edgeBook: 1, lineage: 'a', latest: 0, uncertainty: 0 };
const body = Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), Buffer.alloc(4, 0xff)]);
const sum = Buffer.alloc(4);
sum.writeUInt32BE(crc32(body));

/** Never comes to its own end, as a file that is read to its checksum does not. */
function diskOf(bytes: Uint8Array): { disk: BookDisk; isClosed: () => boolean } {
  let closed = false;
  async function* stream(): AsyncGenerator<Uint8Array> {
    try {
      yield bytes;
      yield new Uint8Array(0);
    } finally {
      closed = true;
    }
  }
  const disk = { readSnapshot: async () => stream() } as unknown as BookDisk; // just the reading
  return { disk, isClosed: () => closed };
}

const ground = { noticeLineage: () => {} } as unknown as Ground; // all that an empty one needs

test('a snapshot that was read whole is closed', async () => {
  const { disk, isClosed } = diskOf(Buffer.concat([body, sum]));
  expect(await readSnapshot(disk, ground, undefined)).toBe(true);
  expect(isClosed()).toBe(true);
});

test('so is one that is damaged', async () => {
  const { disk, isClosed } = diskOf(Buffer.concat([body, Buffer.alloc(4)]));
  await expect(readSnapshot(disk, ground, undefined)).rejects.toThrow('does not add up');
  expect(isClosed()).toBe(true);
});
