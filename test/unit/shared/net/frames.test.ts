import { describe, expect, test } from 'vitest';
import {
  checksumsHold,
  flowFrame,
  gratuitousArp,
  readFlow,
} from '../../../../shared/net/frames.ts';

const MAC = 0x02_11_22_33_44_55;
const flow = {
  source: 0xc0000202,
  destination: 0xc6336407,
  sourcePort: 4242,
  destinationPort: 443,
};

describe('a frame of a flow', () => {
  test.each([[6], [17], [33], [132], [136]])('with ports, protocol %i', (protocol) => {
    const frame = flowFrame({ ...flow, protocol }, MAC, 17);
    expect(readFlow(frame)).toEqual({ ...flow, protocol, ttl: 17 });
    expect(checksumsHold(frame)).toBe(true);
    expect(Buffer.from(frame.subarray(0, 6)).toString('hex')).toBe('021122334455');
  });

  test('ICMP has no ports', () => {
    const frame = flowFrame({ ...flow, protocol: 1 }, MAC);
    expect(readFlow(frame)).toMatchObject({ protocol: 1, sourcePort: 0, destinationPort: 0 });
    expect(checksumsHold(frame)).toBe(true);
  });

  test.each([
    ['IPv4', 24],
    ['TCP', 50],
  ])('a broken %s checksum is seen', (_what, at) => {
    const frame = flowFrame({ ...flow, protocol: 6 }, MAC);
    frame[at] = (frame[at] ?? 0) ^ 1;
    expect(checksumsHold(frame)).toBe(false);
  });

  test('what is no IPv4 packet has no flow', () => {
    expect(readFlow(new Uint8Array(20))).toBeUndefined();
    expect(readFlow(gratuitousArp(MAC, flow.source))).toBeUndefined();
  });
});

test('a gratuitous ARP names the address twice and asks nobody', () => {
  const frame = Buffer.from(gratuitousArp(MAC, flow.destination));
  expect(frame.toString('hex')).toBe(
    'ffffffffffff0211223344550806000108000604' + '0001021122334455c6336407000000000000c6336407',
  );
});
