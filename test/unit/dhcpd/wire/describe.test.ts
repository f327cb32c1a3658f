import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describePacket } from '../../../../dhcpd/wire/describe.ts';
import { clientPackets } from '../../../support/dhcp/packets.ts';
import { clientMessage, discover, relayInfo } from '../../../support/dhcp/request.ts';

test('a client behind a relay', () => {
  const bytes = discover({
    hops: 1,
    secs: 3,
    broadcast: true,
    giaddr: '10.7.0.1',
    clientId: [1, 2, 0, 0, 0, 0, 1],
    requested: '10.7.0.9',
    hostName: 'vm-1',
    ask: [1, 3, 230],
    rapidCommit: true,
    relay: relayInfo({ circuitId: 'eth1/7', linkSelection: '10.8.0.0', sub: [[19, []]] }),
    options: [
      [230, [1, 2]],
      [57, [1]],
    ],
  });
  expect(describePacket(bytes)).toEqual([
    'DISCOVER xid 3903f326 from 02:00:00:00:00:01, 300 bytes',
    'relay (giaddr): 10.7.0.1',
    'hops: 1',
    'seconds since it began: 3',
    'wants its answer as a broadcast',
    'option 61 client-identifier: Ethernet 02:00:00:00:00:01',
    'option 50 requested-ip-address: 10.7.0.9',
    'option 12 host-name: "vm-1"',
    'option 55 parameter-request-list: subnet-mask, routers, 230',
    'option 80 rapid-commit: present',
    'option 230: 0102',
    'option 57 maximum-message-size: 01 (malformed)',
    'option 82 relay-agent-information: circuit-id "eth1/7", link-selection 10.8.0.0, source-port',
  ]);
});

test('a reply', () => {
  const bytes = clientMessage({
    op: 2,
    type: 2,
    file: [0x70, 0x78, 0x65],
    options: [
      [3, [10, 1, 0, 1, 10, 1, 0, 2]],
      [121, [24, 10, 2, 0, 10, 1, 0, 1, 0, 0, 0, 0, 0]],
      [43, [6, 1, 8]],
    ],
  });
  bytes.set([10, 1, 0, 7], 16);
  expect(describePacket(bytes)).toEqual([
    'OFFER xid 3903f326 to 02:00:00:00:00:01, 300 bytes',
    'your address (yiaddr): 10.1.0.7',
    'boot file: "pxe"',
    'option 3 routers: 10.1.0.1, 10.1.0.2',
    'option 121 classless-static-routes: 10.2.0.0/24 via 10.1.0.1, 0.0.0.0/0 on the link',
    'option 43 vendor-specific-information: 6 08',
  ]);
});

test('what is no message', () => {
  expect(describePacket(Uint8Array.of(1, 2))).toEqual(['not a DHCP message (short), 2 bytes']);
});

test.each(clientPackets)('$what has a line an option', ({ bytes, codes }) => {
  const lines = describePacket(bytes);
  expect(lines.filter((line) => line.startsWith('option '))).toHaveLength(codes.length - 1);
  for (const line of lines) expect(line).not.toMatch(/malformed|undefined|\n/);
});

test('any options have lines that stay lines', () => {
  const noise = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 254 }), fc.uint8Array({ maxLength: 40 })),
  );
  const property = fc.property(noise, (options) => {
    for (const line of describePacket(discover({ options }))) expect(line).not.toMatch(/\p{Cc}/u);
  });
  fc.assert(property);
});
