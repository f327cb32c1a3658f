import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addressIn,
  blockId,
  blockOf,
  clientKey,
  decodeHeader,
  decodeRecord,
  encodeHeader,
  encodeRecord,
  instanceId,
  NO_END,
  packedKeyOf,
  packKey,
  recordOffset,
  samePackedKey,
} from '../../../../dhcpd/leases/record.ts';
import { sha256 } from '../../../../dhcpd/leases/sha256.ts';
import { ipv4, parseIpv4 } from '../../../../shared/net/ipv4.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const address = parseIpv4('10.1.0.7') ?? ipv4(0);
const u32 = fc.integer({ min: 0, max: NO_END });

describe('a record', () => {
  test('is laid out as the page says', () => {
    const record = encodeRecord({
      state: 1,
      hasDetails: true,
      htype: 1,
      chaddr: bytesOf('020304050607'),
      generation: 0x01020304,
      holdUntil: 0x11121314,
      toldUntil: 0x21222324,
      boundAt: 0x31323334,
      instance: 0x41424344,
      packedKey: packKey(bytesOf('0001020304050607')),
      leaseSeconds: 0x51525354,
      version: 0x61626364,
    });
    const wanted = [
      '01010106',
      '0102030411121314212223243132333441424344',
      '0203040506070000',
      '080001020304050607',
      '00'.repeat(11),
      '51525354',
      '0000000061626364',
    ];
    expect(hex(record)).toBe(wanted.join(''));
  });

  test('is read as it was written, wherever it stands', () => {
    const fields = fc.record({
      state: fc.integer({ min: 0, max: 4 }),
      hasDetails: fc.boolean(),
      isLongReserve: fc.boolean(),
      htype: fc.integer({ min: 0, max: 255 }),
      chaddr: fc.uint8Array({ maxLength: 8 }),
      generation: u32,
      holdUntil: u32,
      toldUntil: u32,
      boundAt: u32,
      instance: u32,
      leaseSeconds: u32,
      version: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    });
    const key = fc.uint8Array({ minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fields, key, fc.integer({ min: 0, max: 255 }), (given, key, octet) => {
        const at = addressIn(blockOf(address), octet);
        const block = new Uint8Array(recordOffset(at) + 64);
        block.set(encodeRecord({ ...given, packedKey: packKey(key) }), recordOffset(at));
        const lease = decodeRecord(block, recordOffset(at), at);
        expect(lease).toMatchObject({ ...given, address: at, hlen: given.chaddr.length });
        expect(hex(packedKeyOf(lease))).toBe(hex(packKey(key)));
        expect(lease.hasLongKey).toBe(key.length > 19);
      }),
    );
  });

  test('beyond the end of a short string is zero', () => {
    const lease = decodeRecord(new Uint8Array(64), recordOffset(address), address);
    expect(lease).toMatchObject({ state: 0, holdUntil: 0, hlen: 0, key: new Uint8Array(0) });
  });
});

describe('a header', () => {
  test('is laid out as the page says and read again', () => {
    const header = {
      lineage: '0123456789abcdef',
      version: 2 ** 40,
      quarantineUntil: 0x01020304,
      layout: 1,
    };
    const bytes = encodeHeader(header);
    expect(Buffer.from(bytes.subarray(0, 16)).toString()).toBe('0123456789abcdef');
    expect(hex(bytes.subarray(16))).toBe(`00000100000000000102030400000001${'00'.repeat(32)}`);
    expect(decodeHeader(bytes)).toEqual(header);
  });

  test('of a block that does not exist is empty', () => {
    const none = { lineage: '', version: 0, quarantineUntil: 0, layout: 0 };
    expect(decodeHeader(new Uint8Array(0))).toEqual(none);
  });
});

describe('keys', () => {
  const chaddr = bytesOf('020304050607');
  test.each([
    { what: 'a client identifier', clientId: bytesOf('01020304'), key: '0101020304' },
    { what: 'one of a single byte, which is none', clientId: bytesOf('01'), key: '' },
    { what: 'no client identifier', clientId: undefined, key: '' },
  ])('from $what', ({ clientId, key }) => {
    expect(hex(clientKey(clientId, 1, chaddr))).toBe(key === '' ? '0001020304050607' : key);
  });

  test('pack to 20 bytes, long ones as a digest', () => {
    expect(hex(packKey(bytesOf('aa'.repeat(19))))).toBe(`13${'aa'.repeat(19)}`);
    const long = bytesOf('aa'.repeat(20));
    const digest = createHash('sha256').update(long).digest('hex').slice(0, 38);
    expect(hex(packKey(long))).toBe(`ff${digest}`);
    expect(samePackedKey(packKey(long), packKey(long))).toBe(true);
    expect(samePackedKey(packKey(long), packKey(bytesOf('aa'.repeat(21))))).toBe(false);
  });

  test('have the SHA-256 of everybody else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(hex(sha256(bytes))).toBe(createHash('sha256').update(bytes).digest('hex'));
      }),
    );
  });
});

test('blocks and instances have their names', () => {
  expect(blockId(blockOf(address))).toBe('0a0100');
  expect(recordOffset(address)).toBe(64 + 64 * 7);
  expect(addressIn(0x0a0100, 7)).toBe(address);
  expect(instanceId('dhcpd-1')).toBe(crc32('dhcpd-1'));
});
