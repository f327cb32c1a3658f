import { describe, expect, test } from 'vitest';
import { matchClasses, matchesClass } from '../../../../dhcpd/engine/classes.ts';
import type { ClassMatch } from '../../../../dhcpd/plan/types.ts';
import { parseRequest } from '../../../../dhcpd/wire/parse.ts';
import { discover } from '../../../support/dhcp/request.ts';
import { utf8 } from '../../../support/dhcp/simple-plan.ts';

const is = (text: string) => ({ bytes: utf8(text), prefix: false });
const begins = (text: string) => ({ bytes: utf8(text), prefix: true });
const PXE = 'PXEClient:Arch:00007:UNDI:003016';

const cases: { what: string; match: ClassMatch; options: [number, Uint8Array][]; is: boolean }[] = [
  {
    what: 'a vendor class',
    match: { vendorClass: is('MSFT 5.0') },
    options: [[60, utf8('MSFT 5.0')]],
    is: true,
  },
  {
    what: 'a vendor class that goes on',
    match: { vendorClass: is('PXEClient') },
    options: [[60, utf8(PXE)]],
    is: false,
  },
  {
    what: 'the beginning of one',
    match: { vendorClass: begins('PXEClient') },
    options: [[60, utf8(PXE)]],
    is: true,
  },
  { what: 'none', match: { vendorClass: begins('') }, options: [], is: false },
  {
    what: 'a bare user class',
    match: { userClass: is('iPXE') },
    options: [[77, utf8('iPXE')]],
    is: true,
  },
  {
    what: 'a counted user class',
    match: { userClass: is('iPXE') },
    options: [[77, utf8('\x02xy\x04iPXE')]],
    is: true,
  },
  {
    what: 'a user class cut short',
    match: { userClass: is('iPXE') },
    options: [[77, utf8('\x09iPXE')]],
    is: false,
  },
  {
    what: 'one of the architectures',
    match: { architectures: [7, 9] },
    options: [[93, Uint8Array.of(0, 6, 0, 9)]],
    is: true,
  },
  {
    what: 'another architecture',
    match: { architectures: [7, 9] },
    options: [[93, Uint8Array.of(0, 6)]],
    is: false,
  },
  {
    what: 'any option',
    match: { options: [{ code: 12, pattern: begins('printer-') }] },
    options: [[12, utf8('printer-7')]],
    is: true,
  },
  {
    what: 'all that is given, or nothing',
    match: { vendorClass: begins('PXEClient'), architectures: [7] },
    options: [[60, utf8(PXE)]],
    is: false,
  },
];

const requestOf = (options: [number, Uint8Array][]) => {
  const request = parseRequest(discover({ options }));
  if (typeof request === 'string') throw new Error(request);
  return request;
};

describe('a class', () => {
  test.each(cases)('matches on $what: $is', ({ match, options, is: expected }) => {
    expect(matchesClass(match, requestOf(options).options)).toBe(expected);
  });
});

test('later ones are nearer, those for everybody are apart', () => {
  const classes = [
    { name: 'all', options: new Map() },
    { name: 'first', options: new Map(), match: { vendorClass: begins('PXE') } },
    { name: 'second', options: new Map(), match: { vendorClass: begins('PXEClient') } },
    { name: 'other', options: new Map(), match: { vendorClass: begins('MSFT') } },
  ];
  const { matched, defaults, signature } = matchClasses(classes, requestOf([[60, utf8(PXE)]]));
  expect(matched.map(({ name }) => name)).toEqual(['second', 'first']);
  expect(defaults.map(({ name }) => name)).toEqual(['all']);
  expect(signature).toBe('1110');
});
