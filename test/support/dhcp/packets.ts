// What clients in the field send, as `{ what, bytes }`: modelled after their documented behaviour
// (which options, in which order, how padded), not captured; addresses and names are made up.
import { type Bytes, type ClientFields, clientMessage, relayInfo, text } from './request.ts';

export type ClientPacket = {
  what: string;
  bytes: Uint8Array;
  messageType: number;
  /** Codes in the order in which a reader meets them. */
  codes: readonly number[];
};

const mac = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];
const macText = '52:54:00:12:34:56';

/** Option 53 leads in all of them; `options` says all the rest. */
function packet(
  what: string,
  messageType: number,
  options: readonly (readonly [number, Bytes])[],
  fields: ClientFields = {},
): ClientPacket {
  const bytes = clientMessage({ mac: macText, type: messageType, options, ...fields });
  const codes = [53, ...options.map(([code]) => code), ...(fields.relay === undefined ? [] : [82])];
  return { what, bytes, messageType, codes };
}

const u16 = (value: number): number[] => [value >>> 8, value & 255];
const ethernetId = [1, ...mac];
/** RFC 4361: type 255, IAID, DUID-EN as systemd makes it. */
const duidId = [255, 0xb6, 0x22, 0x0f, 0xeb, 0, 2, 0, 0, 0xab, 0x11, 1, 2, 3, 4, 5, 6, 7, 8];
const guid = [0, 0x44, 0x45, 0x4c, 0x4c, ...mac, ...mac];
const windowsAsk = [1, 3, 6, 15, 31, 33, 43, 44, 46, 47, 119, 121, 249, 252];
const dhclientAsk = [1, 28, 2, 3, 15, 6, 119, 12, 44, 47, 26, 121, 42];
const pxeAsk = [
  1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59, 60, 66, 67,
  97, 128, 129, 130, 131, 132, 133, 134, 135,
];
const ipxeAsk = [1, 3, 6, 7, 12, 15, 17, 26, 43, 60, 66, 67, 119, 128, 129, 130, 131, 175, 203];
/** iPXE's own, encapsulated: what it was built with. */
const ipxeFeatures = [
  177, 5, 1, 0x80, 0x86, 0x10, 0x0e, 24, 1, 1, 35, 1, 1, 18, 1, 1, 235, 3, 1, 21, 1,
];

export const clientPackets: readonly ClientPacket[] = [
  packet('udhcpc DISCOVER', 1, [
    [61, ethernetId],
    [57, u16(576)],
    [55, [1, 3, 6, 12, 15, 28, 42]],
    [60, text('udhcp 1.36.1')],
  ]),
  packet('udhcpc REQUEST, SELECTING', 3, [
    [61, ethernetId],
    [50, [10, 1, 0, 7]],
    [54, [10, 1, 0, 1]],
    [57, u16(576)],
    [55, [1, 3, 6, 12, 15, 28, 42]],
    [60, text('udhcp 1.36.1')],
  ]),
  packet('dhclient DISCOVER', 1, [
    [50, [10, 1, 0, 7]],
    [12, text('build-7')],
    [55, dhclientAsk],
  ]),
  packet('dhclient REQUEST, RENEWING', 3, [[55, dhclientAsk]], { ciaddr: '10.1.0.7' }),
  packet('dhcpcd DISCOVER', 1, [
    [61, duidId],
    [80, []],
    [57, u16(1472)],
    [60, text('dhcpcd-10.0.6:Linux-6.8.0:x86_64:GenuineIntel')],
    [12, text('desk')],
    [145, [1]],
    [55, [1, 121, 33, 3, 6, 12, 15, 26, 28, 51, 54, 58, 59, 108, 119]],
  ]),
  packet('systemd-networkd DISCOVER', 1, [
    [61, duidId],
    [55, [1, 3, 6, 12, 15, 26, 33, 42, 108, 119, 120, 121]],
    [57, u16(1472)],
    [12, text('vm-3')],
  ]),
  packet('Windows DISCOVER', 1, [
    [61, ethernetId],
    [12, text('DESKTOP-4T1K2')],
    [60, text('MSFT 5.0')],
    [55, windowsAsk],
  ]),
  packet('Windows REQUEST with a name to register', 3, [
    [61, ethernetId],
    [50, [10, 1, 0, 7]],
    [54, [10, 1, 0, 1]],
    [12, text('DESKTOP-4T1K2')],
    [81, [0, 0, 0, ...text('DESKTOP-4T1K2.corp.example')]],
    [60, text('MSFT 5.0')],
    [55, windowsAsk],
  ]),
  packet(
    'Windows INFORM',
    8,
    [
      [61, ethernetId],
      [60, text('MSFT 5.0')],
      [55, windowsAsk],
    ],
    {
      ciaddr: '10.1.0.7',
    },
  ),
  packet(
    'PXE firmware DISCOVER',
    1,
    [
      [57, u16(1464)],
      [55, pxeAsk],
      [97, guid],
      [93, u16(7)],
      [94, [1, 3, 16]],
      [60, text('PXEClient:Arch:00007:UNDI:003016')],
    ],
    { broadcast: true, padTo: 548, secs: 4 },
  ),
  packet(
    'iPXE DISCOVER',
    1,
    [
      [57, u16(1472)],
      [93, u16(7)],
      [94, [1, 3, 10]],
      [60, text('PXEClient:Arch:00007:UNDI:003010')],
      [77, text('iPXE')],
      [55, ipxeAsk],
      [175, ipxeFeatures],
      [61, ethernetId],
      [97, guid],
    ],
    { secs: 4 },
  ),
  packet(
    'a phone behind a relay',
    1,
    [
      [61, ethernetId],
      [57, u16(1500)],
      [55, [1, 3, 6, 15, 26]],
    ],
    {
      giaddr: '10.7.0.1',
      hops: 1,
      relay: relayInfo({ circuitId: 'Ethernet1/7:120', remoteId: 'leaf-2' }),
    },
  ),
];
