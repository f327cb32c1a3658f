import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arpRequest, readArpReply } from '../../../../dhcpd/io/arp.ts';
import { BROADCAST_MAC, buildFrame, readFrame } from '../../../../dhcpd/io/frames.ts';
import { ipv4 } from '../../../../shared/net/ipv4.ts';

const parts = {
  sourceMac: Uint8Array.of(2, 0, 0, 0, 0, 1),
  destinationMac: BROADCAST_MAC,
  source: ipv4(0),
  destination: ipv4(0xffffffff),
  sourcePort: 68,
  destinationPort: 67,
  payload: Uint8Array.from({ length: 300 }, (_, at) => at),
};

/** The frame with some bytes put in place of its own. */
function changed(at: number, ...bytes: number[]): Uint8Array {
  const frame = buildFrame(parts);
  frame.set(bytes, at);
  return frame;
}

/** Sets the IPv4 header's checksum right again. */
function summed(frame: Uint8Array, headerBytes = 20): Uint8Array {
  const view = new DataView(frame.buffer, 14);
  view.setUint16(10, 0);
  let sum = 0;
  for (let at = 0; at < headerBytes; at += 2) sum += view.getUint16(at);
  sum = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(10, ~((sum & 0xffff) + (sum >>> 16)) & 0xffff);
  return frame;
}

function tagged(vlan: number): Uint8Array {
  const frame = buildFrame(parts);
  return Uint8Array.of(...frame.subarray(0, 12), 0x81, 0, vlan >> 8, vlan, ...frame.subarray(12));
}

function withOptions(): Uint8Array {
  const frame = buildFrame(parts);
  const longer = Uint8Array.of(...frame.subarray(0, 34), 1, 1, 1, 0, ...frame.subarray(34));
  longer[14] = 0x46;
  new DataView(longer.buffer).setUint16(16, longer.length - 14);
  return summed(longer, 24);
}

/** The sum of the pseudo header, as a sender leaves it to the card. */
function partial(): Uint8Array {
  const frame = buildFrame(parts);
  const length = frame.length - 34;
  let sum = 0xffff + 0xffff + 17 + length;
  sum = (sum & 0xffff) + (sum >>> 16);
  new DataView(frame.buffer).setUint16(40, sum);
  return frame;
}

describe('a frame is read', () => {
  test.each([
    ['as it was built', buildFrame(parts)],
    ['with a priority tag', tagged(0)],
    ['with IPv4 options', withOptions()],
    ['without a UDP checksum', changed(40, 0, 0)],
    ['with a checksum left to the card', partial()],
    ['with padding behind it', Uint8Array.of(...buildFrame(parts), 0, 0, 0)],
  ])('%s', (_what, frame) => {
    expect(readFrame(frame)).toEqual(parts);
  });
});

describe('a frame is dropped', () => {
  test.each([
    ['of another VLAN', tagged(20), 'frame-tagged'],
    ['that is ARP', changed(12, 8, 6), 'frame-not-udp'],
    ['that is TCP', summed(changed(23, 6)), 'frame-not-udp'],
    ['that is a first fragment', summed(changed(20, 0x20)), 'frame-fragment'],
    ['that is a later fragment', summed(changed(21, 1)), 'frame-fragment'],
    ['with a wrong header checksum', changed(24, 1, 2), 'frame-bad-checksum'],
    ['with a wrong UDP checksum', changed(40, 1, 2), 'frame-bad-checksum'],
    ['with a changed byte', changed(100, 77), 'frame-bad-checksum'],
    ['with a header of 16 bytes', summed(changed(14, 0x44), 16), 'frame-truncated'],
    ['with less than it says', buildFrame(parts).subarray(0, 200), 'frame-truncated'],
    ['with a UDP length beyond it', changed(38, 5, 0), 'frame-truncated'],
  ])('%s', (_what, frame, problem) => {
    expect(readFrame(frame)).toBe(problem);
  });

  test('at whichever byte it is cut off', () => {
    const frame = buildFrame(parts);
    for (let length = 0; length < frame.length; length++) {
      expect(typeof readFrame(frame.subarray(0, length))).toBe('string');
    }
  });
});

test('whatever is built can be read', () => {
  const mac = fc.uint8Array({ minLength: 6, maxLength: 6 });
  const address = fc.integer({ min: 0, max: 0xffffffff }).map(ipv4);
  const port = fc.integer({ min: 0, max: 65535 });
  const any = fc.record({
    sourceMac: mac,
    destinationMac: mac,
    source: address,
    destination: address,
    sourcePort: port,
    destinationPort: port,
    payload: fc.uint8Array({ maxLength: 1500 }),
  });
  fc.assert(
    fc.property(any, (each) => {
      expect(readFrame(buildFrame(each))).toEqual(each);
    }),
  );
});

test('noise is never more than dropped', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => void readFrame(bytes)));
});

test('who has an address is asked by everybody’s frame and answered by one', () => {
  const mac = Uint8Array.of(2, 0, 0, 0, 0, 9);
  const frame = arpRequest(mac, ipv4(0x0a000001), ipv4(0x0a000005));
  expect(Buffer.from(frame).toString('hex')).toBe(
    'ffffffffffff02000000000908060001080006040001020000000009' +
      '0a000001000000000000' +
      '0a000005',
  );
  expect(readArpReply(frame)).toBeUndefined();
  frame[21] = 2;
  expect(readArpReply(frame)).toEqual({ mac, address: 0x0a000001 });
  expect(readArpReply(frame.subarray(0, 41))).toBeUndefined();
});
