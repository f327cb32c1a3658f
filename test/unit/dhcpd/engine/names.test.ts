// Host names and option 81 (RFC 4702), as clients see them.
import { describe, expect, test, vi } from 'vitest';
import { discover } from '../../../support/dhcp/request.ts';
import { bind } from '../../../support/dhcp/server-case.ts';
import { ip, Rig } from '../../../support/dhcp/server-rig.ts';
import { utf8 } from '../../../support/dhcp/simple-plan.ts';

const plain = { prefix: '10.0.0.0/24', pools: ['10.0.0.10'] };
const zoned = { ...plain, ddnsZone: 'dyn.example.org' };
const fqdn = (flags: number, ...name: number[]) => [[81, [flags, 0, 0, ...name]]] as const;
const ascii = [...utf8('Desk.example.com')];
const encoded = [4, ...utf8('desk'), 3, ...utf8('lan'), 0];

const cases = [
  {
    what: 'with a zone: A and PTR are ours, and that is what was asked',
    subnet: zoned,
    flags: 1,
    name: ascii,
    is: [1, utf8('desk.dyn.example.org')],
  },
  {
    what: 'with a zone: ours although the client wanted to (override)',
    subnet: zoned,
    flags: 0,
    name: ascii,
    is: [3, utf8('desk.dyn.example.org')],
  },
  {
    what: 'with a zone, in the encoding of DNS',
    subnet: { ...zoned, ddnsZone: 'lan' },
    flags: 5,
    name: [4, ...utf8('desk')],
    is: [5, Uint8Array.from(encoded)],
  },
  {
    what: 'nobody shall: nobody does',
    subnet: zoned,
    flags: 8,
    name: ascii,
    is: [8, Uint8Array.from(ascii)],
  },
  {
    what: 'without a zone: not by us, though asked for',
    subnet: plain,
    flags: 1,
    name: ascii,
    is: [10, Uint8Array.from(ascii)],
  },
  {
    what: 'a name that DNS cannot have',
    subnet: zoned,
    flags: 1,
    name: [...utf8('no good')],
    is: [10, utf8('no good')],
  },
] as const;

describe('option 81', () => {
  test.each(cases)('$what', async ({ subnet, flags, name, is }) => {
    const rig = new Rig({ plan: { subnets: [subnet] } });
    const offer = await rig.ask(discover({ options: fqdn(flags, ...name) }));
    const bytes = offer?.message.options.get(81);
    expect([bytes?.[0], bytes?.subarray(1, 3), bytes?.slice(3)]).toEqual([
      is[0],
      Uint8Array.of(255, 255),
      is[1],
    ]);
  });

  test.each([
    { what: 'not sent, not answered', options: [] },
    { what: 'cut short, not answered', options: [[81, [1]]] as const },
  ])('$what', async ({ options }) => {
    const offer = await new Rig({ plan: { subnets: [zoned] } }).ask(discover({ options }));
    expect(offer?.message.options.has(81)).toBe(false);
  });
});

describe('the host name of a lease', () => {
  const hostname = async (fields: object) => {
    const rig = new Rig({ plan: { subnets: [zoned] } });
    await bind(rig, fields);
    return rig.book.leases.details.get(ip('10.0.0.10'))?.hostname;
  };
  test.each([
    {
      what: 'option 81 before option 12',
      fields: { hostName: 'x', options: fqdn(1, ...ascii) },
      is: 'desk',
    },
    { what: 'option 12, its first label', fields: { hostName: 'Desk.lan' }, is: 'desk' },
    { what: 'none that DNS could not have', fields: { hostName: '-x-' }, is: undefined },
    { what: 'none at all', fields: {}, is: undefined },
  ])('$what', async ({ fields, is }) => {
    expect(await hostname(fields)).toBe(is);
  });

  test.each([
    { what: 'no option 81', options: [], is: undefined },
    { what: 'the server shall', options: fqdn(1, ...ascii), is: undefined },
    { what: 'the client does its own A', options: fqdn(0, ...ascii), is: undefined },
    { what: 'nobody shall publish it', options: fqdn(8, ...ascii), is: true },
  ])('$what: told with the binding', async ({ options, is }) => {
    const rig = new Rig({ plan: { subnets: [zoned] } });
    const binding = vi.spyOn(rig.book, 'bind');
    await bind(rig, { options });
    expect(binding.mock.calls[0]?.[0].noName).toBe(is);
  });
});
