import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRequest } from '../../../../dhcpd/wire/parse.ts';
import { type RelayInfo, readRelayInfo, relayInfoOf } from '../../../../dhcpd/wire/relay-info.ts';
import { discover, relayInfo, text } from '../../../support/dhcp/request.ts';
import { address } from '../../../support/packet.ts';

const circuitId = text('eth1/7');
const cases: { what: string; bytes: Uint8Array; info: Partial<RelayInfo> }[] = [
  { what: 'nothing', bytes: new Uint8Array(0), info: {} },
  {
    what: 'circuit and remote id',
    bytes: relayInfo({ circuitId: 'eth1/7', remoteId: 'leaf-2' }),
    info: { circuitId, remoteId: text('leaf-2') },
  },
  {
    what: '40 link selection (RFC 3527)',
    bytes: relayInfo({ linkSelection: '10.7.0.0' }),
    info: { linkSelection: address('10.7.0.0') as never },
  },
  { what: 'link selection of three bytes', bytes: relayInfo({ sub: [[5, [10, 7, 0]]] }), info: {} },
  { what: 'link selection 0.0.0.0', bytes: relayInfo({ linkSelection: '0.0.0.0' }), info: {} },
  {
    what: '41 server identifier override (RFC 5107)',
    bytes: relayInfo({ serverOverride: '10.7.0.1' }),
    info: { serverOverride: address('10.7.0.1') as never },
  },
  {
    what: 'flags (RFC 5010): unicast',
    bytes: relayInfo({ sub: [[10, [0x80]]] }),
    info: { isUnicast: true },
  },
  { what: 'flags: broadcast', bytes: relayInfo({ sub: [[10, [0]]] }), info: { isUnicast: false } },
  { what: 'flags of two bytes', bytes: relayInfo({ sub: [[10, [0x80, 0]]] }), info: {} },
  {
    what: 'subscriber (RFC 3993) and relay id (RFC 6925)',
    bytes: relayInfo({
      sub: [
        [6, [1]],
        [12, [2, 3]],
      ],
    }),
    info: { subscriberId: Uint8Array.of(1), relayId: Uint8Array.of(2, 3) },
  },
  {
    what: 'relay source port (RFC 8357)',
    bytes: relayInfo({ sub: [[19, []]] }),
    info: { usesSourcePort: true },
  },
  {
    what: 'virtual subnet and its control (RFC 6607)',
    bytes: relayInfo({
      sub: [
        [151, [0, 118]],
        [152, []],
      ],
    }),
    info: { virtualSubnet: Uint8Array.of(0, 118), hasVirtualSubnetControl: true },
  },
  { what: 'an empty circuit id', bytes: relayInfo({ circuitId: '', remoteId: '' }), info: {} },
  {
    what: 'a repeated one: the first',
    bytes: relayInfo({ circuitId: 'eth1/7', sub: [[1, [9]]] }),
    info: { circuitId },
  },
  {
    what: 'unknown ones between',
    bytes: relayInfo({
      sub: [
        [99, [1, 2]],
        [1, circuitId],
        [0, []],
        [255, [1]],
      ],
    }),
    info: { circuitId },
  },
  {
    what: 'a length past the end',
    bytes: Uint8Array.of(1, 6, ...circuitId, 2, 9, 1, 2),
    info: { circuitId },
  },
  {
    what: 'a code without a length',
    bytes: Uint8Array.of(1, 6, ...circuitId, 2),
    info: { circuitId },
  },
];

test.each(cases)('$what', ({ bytes, info }) => {
  const { usesSourcePort, hasVirtualSubnetControl, ...values } = readRelayInfo(bytes);
  const said = Object.entries(values).filter(([, value]) => value !== undefined);
  const flags = {
    ...(usesSourcePort && { usesSourcePort }),
    ...(hasVirtualSubnetControl && { hasVirtualSubnetControl }),
  };
  expect({ ...Object.fromEntries(said), ...flags }).toEqual(info);
});

test('of a message', () => {
  const parsed = parseRequest(discover({ relay: relayInfo({ circuitId: 'eth1/7' }) }));
  if (typeof parsed === 'string') throw new Error(parsed);
  expect(relayInfoOf(parsed)?.circuitId).toEqual(circuitId);
  const without = parseRequest(discover());
  if (typeof without === 'string') throw new Error(without);
  expect(relayInfoOf(without)).toBeUndefined();
});

test('any bytes are read', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => void readRelayInfo(noise)));
});
