// Values as an operator writes them: what each codec takes, gives back, and refuses.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../../../../shared/bytes.ts';
import { isRefused } from '../../../../shared/dhcp/codec.ts';
import { codeOfKey, optionTable } from '../../../../shared/dhcp/option-table.ts';
import {
  describeOption,
  formatOption,
  OPTION_BYTES_MAX,
  parseOption,
} from '../../../../shared/dhcp/options.ts';

function codeOf(key: string): number {
  const code = codeOfKey(key);
  if (code === undefined) throw new Error(`no option ${key}`);
  return code;
}

/** Hex, or the reasons. */
function parsed(key: string, value: unknown): string | readonly string[] {
  const result = parseOption(codeOf(key), value);
  return isRefused(result) ? result.reasons : toHex(result.bytes);
}

const bytesOf = (hex: string) => fromHex(hex) ?? new Uint8Array(0);
const long = 'a'.repeat(63);

type Good = { key: string; value: unknown; hex: string; back?: unknown; says?: string };

const good: Good[] = [
  { key: 'subnet-mask', value: '255.255.255.0', hex: 'ffffff00', says: '255.255.255.0' },
  { key: 'subnet-mask', value: '255.255.255.255', hex: 'ffffffff' },
  { key: 'subnet-mask', value: '0.0.0.0', hex: '00000000' },
  { key: 'time-offset', value: -3600, hex: 'fffff1f0', says: '-3600' },
  { key: 'time-offset', value: -2147483648, hex: '80000000' },
  {
    key: 'routers',
    value: ['10.0.0.1', '10.0.0.2'],
    hex: '0a0000010a000002',
    says: '10.0.0.1, 10.0.0.2',
  },
  { key: 'routers', value: '10.0.0.1', hex: '0a000001', back: ['10.0.0.1'] },
  { key: 'router', value: ['10.0.0.1'], hex: '0a000001' },
  { key: 'host-name', value: 'vm-1', hex: '766d2d31', says: '"vm-1"' },
  { key: 'domain-name', value: 'bücher', hex: '62c3bc63686572' },
  { key: 'boot-file-size', value: 65535, hex: 'ffff' },
  { key: 'ip-forwarding', value: true, hex: '01', says: 'true' },
  { key: 'ip-forwarding', value: false, hex: '00' },
  {
    key: 'policy-filters',
    value: [{ address: '0.0.0.0', mask: '255.0.0.0' }],
    hex: '00000000ff000000',
  },
  { key: 'static-routes', value: [{ to: '10.0.0.0', via: '10.1.0.1' }], hex: '0a0000000a010001' },
  { key: 'default-ip-ttl', value: 1, hex: '01' },
  { key: 'path-mtu-plateau-table', value: [68, 1500], hex: '004405dc', says: '68, 1500' },
  { key: 'interface-mtu', value: 9000, hex: '2328' },
  { key: 'arp-cache-timeout', value: 4294967295, hex: 'ffffffff' },
  {
    key: 'vendor-specific-information',
    value: { 6: { hex: '08' }, 9: 'menu' },
    hex: '06010809046d656e75',
  },
  { key: 'vendor-specific-information', value: { hex: '00ff' }, hex: '00ff' },
  { key: 'netbios-node-type', value: 'h-node', hex: '08', says: 'h-node' },
  { key: 'netbios-node-type', value: 8, hex: '08', back: 'h-node' },
  { key: 'vendor-class-identifier', value: 'HTTPClient', hex: '48545450436c69656e74' },
  { key: 'mobile-ip-home-agents', value: [], hex: '' },
  { key: 'user-class', value: ['a', { hex: '00' }], hex: '01610100', says: 'a, 00' },
  { key: 'user-class', value: 'ipxe', hex: '0469707865', back: ['ipxe'] },
  {
    key: 'slp-directory-agents',
    value: { mandatory: true, addresses: ['10.0.0.1'] },
    hex: '010a000001',
  },
  { key: 'slp-service-scope', value: { mandatory: false, scopes: 'a,b' }, hex: '00612c62' },
  { key: 'rapid-commit', value: true, hex: '', says: 'present' },
  { key: 'ipv6-only-preferred', value: 1800, hex: '00000708' },
  {
    key: 'dhcp4o6-s46-source-address',
    value: '2001:db8::1',
    hex: '20010db8000000000000000000000001',
  },
  {
    key: 'captive-portal',
    value: 'https://portal.example/api',
    hex: toHex(new TextEncoder().encode('https://portal.example/api')),
  },
  { key: 'auto-configure', value: false, hex: '00' },
  { key: 'name-service-search', value: ['dns', 'local'], hex: '00060000', says: 'dns, local' },
  {
    key: 'domain-search',
    value: ['eng.apple.com', 'marketing.apple.com'],
    hex: '03656e67056170706c6503636f6d00096d61726b6574696e67c004',
    says: 'eng.apple.com, marketing.apple.com',
  },
  {
    key: 'domain-search',
    value: ['example.com.', 'example.com'],
    hex: '076578616d706c6503636f6d00c000',
    back: ['example.com', 'example.com'],
  },
  { key: 'sip-servers', value: ['10.0.0.1'], hex: '010a000001' },
  {
    key: 'sip-servers',
    value: ['a.example', 'b.example'],
    hex: '000161076578616d706c65000162076578616d706c6500',
  },
  {
    key: 'classless-static-routes',
    value: [
      { to: '10.0.0.0/8', via: '10.1.0.1' },
      { to: 'default', via: '0.0.0.0' },
    ],
    hex: '080a0a0100010000000000',
    back: [
      { to: '10.0.0.0/8', via: '10.1.0.1' },
      { to: '0.0.0.0/0', via: '0.0.0.0' },
    ],
    says: '10.0.0.0/8 via 10.1.0.1, 0.0.0.0/0 on the link',
  },
  {
    key: 'classless-static-routes',
    value: [
      { to: '10.17.0.0/16', via: '10.0.0.1' },
      { to: '10.27.129.0/25', via: '10.0.0.1' },
      { to: '10.0.0.7/32', via: '10.0.0.1' },
    ],
    hex: '100a110a000001190a1b81000a000001200a0000070a000001',
  },
  {
    key: 'vi-vendor-class',
    value: [
      { enterprise: 9, class: 'x' },
      { enterprise: 4294967295, class: { hex: '' } },
    ],
    hex: '000000090178ffffffff00',
  },
  {
    key: 'vi-vendor-specific-information',
    value: [{ enterprise: 9, options: { 1: 'a' } }],
    hex: '0000000903010161',
    says: 'enterprise 9 options 1 a',
  },
  { key: 'lost-server', value: 'lost.example', hex: '046c6f7374076578616d706c6500' },
  {
    key: 'sztp-redirect',
    value: ['https://a', 'https://b'],
    hex: '000968747470733a2f2f61000968747470733a2f2f62',
  },
  {
    key: 'rdnss-selection',
    value: { preference: 'low', primary: '10.0.0.1', secondary: '10.0.0.2', domains: ['a.b'] },
    hex: '030a0000010a0000020161016200',
  },
  {
    key: 'pcp-servers',
    value: ['10.0.0.1', ['10.0.0.2', '10.0.0.3']],
    hex: '040a000001080a0000020a000003',
  },
  { key: 'port-parameters', value: { offset: 6, psidLength: 8, psid: 0x3400 }, hex: '06083400' },
  {
    key: 'option-6rd',
    value: { ipv4MaskLength: 8, prefixLength: 32, prefix: '2001:db8::', relays: ['10.0.0.1'] },
    hex: '082020010db80000000000000000000000000a000001',
  },
  {
    key: 'isns',
    value: { functions: 1, domainAccess: 2, administration: 3, security: 4, servers: ['10.0.0.1'] },
    hex: '000100020003000000040a000001',
  },
  {
    key: 'encrypted-dns',
    value: [
      { priority: 1, name: 'dns.example', addresses: ['10.0.0.53'], params: { hex: '0001' } },
      { priority: 2, name: 'a.b' },
    ],
    hex: '001700010d03646e73076578616d706c6500040a000035000100080002050161016200',
  },
  { key: 'tftp-server-addresses', value: ['10.0.0.1'], hex: '0a000001' },
  {
    key: 'ms-classless-static-routes',
    value: [{ to: '0.0.0.0/0', via: '10.0.0.1' }],
    hex: '000a000001',
  },
  { key: '224', value: { hex: '0102' }, hex: '0102', says: '0102' },
  { key: '3', value: ['10.0.0.1'], hex: '0a000001' },
  { key: 'routers', value: 'hex:0A:00:00:01', hex: '0a000001', back: ['10.0.0.1'] },
  { key: 'routers', value: { hex: '0a' }, hex: '0a', says: '0a (malformed)' },
  { key: 'host-name', value: { hex: '6865783a3031' }, hex: '6865783a3031' },
];

describe('a value', () => {
  test.each(good)('$key: $value is $hex', ({ key, value, hex, back = value, says }) => {
    expect(parsed(key, value)).toBe(hex);
    const formatted = formatOption(codeOf(key), bytesOf(hex));
    expect(formatted).toEqual(back);
    expect(parsed(key, formatted)).toBe(hex);
    const text = describeOption(codeOf(key), bytesOf(hex));
    if (says !== undefined) expect(text).toBe(says);
    expect(text).not.toBe('');
  });

  test.each([
    { key: 'subnet-mask', value: '255.0.255.0', reason: 'has holes' },
    { key: 'subnet-mask', value: 24, reason: '24 is not a subnet mask' },
    { key: 'routers', value: [], reason: 'the list is empty' },
    { key: 'routers', value: ['10.0.0.256'], reason: '"10.0.0.256" is not an IPv4 address' },
    { key: 'routers', value: [10], reason: '10 is not an IPv4 address' },
    { key: 'routers', value: null, reason: 'null is not an IPv4 address' },
    { key: 'routers', value: 'hex:0', reason: '"0" is not hex' },
    { key: 'routers', value: { hex: 10 }, reason: '10 is not hex: put it in quotes' },
    { key: 'swap-server', value: ['10.0.0.1'], reason: 'is not an IPv4 address' },
    { key: 'host-name', value: '', reason: 'the text is empty' },
    { key: 'host-name', value: 'a\0', reason: 'cannot be printed' },
    { key: 'host-name', value: 'a\ud800', reason: 'cannot be printed' },
    { key: 'host-name', value: 7, reason: '7 is not text: put it in quotes' },
    { key: 'host-name', value: ['a'], reason: '["a"] is not text' },
    { key: 'boot-file-size', value: 65536, reason: 'not a whole number from 0 to 65535' },
    { key: 'boot-file-size', value: 1.5, reason: 'not a whole number' },
    { key: 'boot-file-size', value: '1', reason: 'not a whole number' },
    { key: 'default-ip-ttl', value: 0, reason: 'from 1 to 255' },
    { key: 'interface-mtu', value: 67, reason: 'from 68 to 65535' },
    { key: 'path-mtu-plateau-table', value: [67], reason: 'from 68' },
    { key: 'max-datagram-reassembly-size', value: 575, reason: 'from 576' },
    { key: 'time-offset', value: 2 ** 31, reason: 'from -2147483648 to 2147483647' },
    { key: 'ip-forwarding', value: 1, reason: '1 is not true or false' },
    { key: 'netbios-node-type', value: 3, reason: 'one of b-node (1), p-node (2)' },
    { key: 'netbios-node-type', value: 'toString', reason: 'is not one of b-node' },
    { key: 'static-routes', value: [{ to: '0.0.0.0', via: '10.0.0.1' }], reason: 'write routers' },
    {
      key: 'static-routes',
      value: [{ to: '10.0.0.0', vai: '10.0.0.1' }],
      reason: 'there is no "vai" here',
    },
    {
      key: 'classless-static-routes',
      value: [{ to: '10.0.0.1/8', via: '10.0.0.1' }],
      reason: 'bits beyond',
    },
    {
      key: 'classless-static-routes',
      value: [{ to: '10.0.0.0/33', via: '10.0.0.1' }],
      reason: 'is not a network',
    },
    {
      key: 'classless-static-routes',
      value: [{ to: '10.0.0.0', via: '10.0.0.1' }],
      reason: 'is not a network',
    },
    { key: 'classless-static-routes', value: ['10.0.0.0/8'], reason: 'is not { to: …, via: … }' },
    { key: 'domain-search', value: ['a..b'], reason: '"" is no label' },
    { key: 'domain-search', value: ['bücher.example'], reason: 'xn--' },
    { key: 'domain-search', value: ['-a.example'], reason: 'is no label' },
    { key: 'domain-search', value: [`${long}a.example`], reason: 'is no label' },
    { key: 'domain-search', value: [[long, long, long, long].join('.')], reason: 'more than 253' },
    { key: 'domain-search', value: ['.'], reason: 'is no label' },
    { key: 'lost-server', value: ['a.b'], reason: 'one name only' },
    { key: 'sip-servers', value: ['10.0.0.1', 'a.example'], reason: 'cannot be in one list' },
    {
      key: 'vendor-specific-information',
      value: { 0: 'a' },
      reason: 'not the number of a sub-option',
    },
    {
      key: 'vendor-specific-information',
      value: { 1: 'a'.repeat(256) },
      reason: 'more than 255 bytes',
    },
    { key: 'vendor-specific-information', value: {}, reason: 'nothing in it' },
    {
      key: 'vi-vendor-class',
      value: [{ enterprise: -1, class: 'a' }],
      reason: 'is not a number of',
    },
    { key: 'user-class', value: [''], reason: 'the text is empty' },
    { key: 'user-class', value: [{ hex: '' }], reason: 'a class is empty' },
    { key: 'rapid-commit', value: false, reason: 'leave the option out' },
    { key: 'encrypted-dns', value: { priority: 0, name: 'a' }, reason: 'from 1 to 65535' },
    {
      key: 'encrypted-dns',
      value: { priority: 1, name: 'a', params: { hex: '' } },
      reason: 'need addresses',
    },
    { key: 'pcp-servers', value: [[]], reason: 'the list is empty' },
    { key: 'root-path', value: 'a'.repeat(OPTION_BYTES_MAX + 1), reason: 'more than the 1024' },
    { key: '224', value: 'text', reason: 'is not { hex: "…" }' },
  ])('$key: $value is refused: $reason', ({ key, value, reason }) => {
    const reasons = parsed(key, value);
    expect(reasons).toEqual([expect.stringContaining(reason)]);
  });

  test('all that is wrong with a list is told at once', () => {
    expect(parsed('routers', ['a', '10.0.0.1', 'b'])).toHaveLength(2);
  });

  test.each([
    { what: 'an address of three bytes', key: 'routers', hex: '0a0000' },
    { what: 'no address', key: 'routers', hex: '' },
    { what: 'a number of another width', key: 'interface-mtu', hex: '000044' },
    { what: 'a number out of range', key: 'interface-mtu', hex: '0001' },
    { what: 'a truth that is 2', key: 'ip-forwarding', hex: '02' },
    { what: 'text that is not UTF-8', key: 'host-name', hex: 'ff' },
    {
      what: 'text with a NUL at its end, which would not come back',
      key: 'host-name',
      hex: '6100',
    },
    { what: 'a pointer forward', key: 'domain-search', hex: '0161c00400' },
    { what: 'a pointer to itself', key: 'domain-search', hex: 'c000' },
    { what: 'a pointer into its own name', key: 'domain-search', hex: '0161c000' },
    { what: 'a pointer cut off', key: 'domain-search', hex: '016100c0' },
    { what: 'a label past the end', key: 'domain-search', hex: '0561' },
    { what: 'a label of 64 bytes', key: 'domain-search', hex: `40${'61'.repeat(64)}00` },
    { what: 'a name without its end', key: 'domain-search', hex: '0161' },
    { what: 'the root', key: 'domain-search', hex: '00' },
    { what: 'a route of 33 bits', key: 'classless-static-routes', hex: '210a000000000a000001' },
    { what: 'a route cut off', key: 'classless-static-routes', hex: '080a0a0000' },
    { what: 'a route with bits beyond', key: 'classless-static-routes', hex: '070b0a000001' },
    { what: 'sub-options out of order', key: 'vendor-specific-information', hex: '02000100' },
    { what: 'sub-options past the end', key: 'vendor-specific-information', hex: '0102aa' },
    { what: 'vendor data past the end', key: 'vi-vendor-class', hex: '000000090278' },
    { what: 'SIP servers of another encoding', key: 'sip-servers', hex: '020a000001' },
    { what: 'a static route to 0.0.0.0', key: 'static-routes', hex: '000000000a000001' },
  ])('malformed: $what', ({ key, hex }) => {
    expect(formatOption(codeOf(key), bytesOf(hex))).toEqual({ hex });
    expect(parsed(key, { hex })).toBe(hex);
  });
});

describe('whatever the bytes', () => {
  const codes = fc.constantFrom(...optionTable.map(({ code }) => code), 84, 224, 254);
  /** Noise, and what looks like lengths, labels and addresses. */
  const smallBytes = fc.array(fc.integer({ min: 0, max: 8 }), { maxLength: 40 });
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    smallBytes.map((list) => Uint8Array.from(list)),
  );

  test('they are formatted so that they can be parsed, and mean the same then', () => {
    const property = fc.property(codes, bytes, (code, value) => {
      const formatted = formatOption(code, value);
      const again = parseOption(code, formatted);
      if (isRefused(again)) throw new Error(`${code}: ${again.reasons.join()}`);
      expect(formatOption(code, again.bytes)).toEqual(formatted);
      const mayCompress = [119, 88, 120, 137, 141, 146, 147, 162, 213].includes(code);
      if (!mayCompress && code !== 116) expect(toHex(again.bytes)).toBe(toHex(value));
      expect(describeOption(code, value)).toMatch(/^\P{Cc}+$/u);
    });
    fc.assert(property, { numRuns: 3000 });
  });

  test('domain names come back, compressed or not', () => {
    const label = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
    const property = fc.property(fc.array(name, { minLength: 1, maxLength: 12 }), (names) => {
      for (const key of ['domain-search', 'bcmcs-controller-domain-names']) {
        const hex = parsed(key, names);
        expect(formatOption(codeOf(key), bytesOf(String(hex)))).toEqual(names);
      }
    });
    fc.assert(property);
  });
});
