import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatIpv4, ipv4 } from '../../../../shared/net/ipv4.ts';
import { formatMac, macToBytes } from '../../../../shared/net/mac.ts';
import { bridgeNameOf, macOfVm, vmLinkOf, vmOfMac } from '../../../../shared/net/vm-link.ts';

test('the four addresses of a /30, from any of them', () => {
  const vm = ipv4(0x0a400006);
  for (let offset = -2; offset <= 1; offset++) {
    const link = vmLinkOf(ipv4(vm + offset));
    const text = Object.values(link).map(formatIpv4);
    expect(text).toEqual(['10.64.0.4', '10.64.0.5', '10.64.0.6', '10.64.0.7']);
  }
  expect(formatMac(macOfVm(vm))).toBe('02:30:0a:40:00:06');
  expect(bridgeNameOf(vm)).toBe('l3-0a400004');
});

test('MAC and address say the same', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffffffff }), (address) => {
      expect(vmOfMac(macToBytes(macOfVm(ipv4(address))))).toBe(address);
    }),
  );
});

test('a MAC with another prefix, or of another length, is no computed one', () => {
  expect(vmOfMac(Uint8Array.of(2, 0x31, 10, 64, 0, 6))).toBeUndefined();
  expect(vmOfMac(Uint8Array.of(2, 0x30, 10, 64, 0))).toBeUndefined();
});
