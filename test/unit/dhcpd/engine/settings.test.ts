// Which level an option comes from: through the server, as a client sees it.
import { describe, expect, test } from 'vitest';
import { discover } from '../../../support/dhcp/request.ts';
import { codesOf, MAC, macOf, textOf } from '../../../support/dhcp/server-case.ts';
import { ip, Rig, secondsOf } from '../../../support/dhcp/server-rig.ts';
import { utf8 } from '../../../support/dhcp/simple-plan.ts';

const name = (text: string) => new Map([[15, utf8(text)]]);
const vendor = { bytes: utf8('v'), prefix: true };
const lease = (seconds: number) => ({ default: seconds, min: 60, max: 86_400 });
const everything = {
  subnets: [
    { prefix: '10.0.0.0/24', pools: ['10.0.0.10-10.0.0.20'], options: name('subnet') },
    { prefix: '10.1.0.0/24', pools: ['10.1.0.10-10.1.0.20'] },
  ],
  classes: [
    { name: 'all', options: new Map([...name('all'), [42, utf8('time')]]) },
    { name: 'one', match: { vendorClass: vendor }, options: name('one'), lease: lease(1000) },
    { name: 'two', match: { vendorClass: vendor }, options: name('two'), lease: lease(2000) },
  ],
  reservations: [
    { at: '10.0.0.50', by: 'mac', mac: macOf(MAC.three), options: name('reservation') } as const,
  ],
};

const cases = [
  {
    what: 'a reservation wins over all',
    fields: { mac: MAC.three, vendorClass: 'v' },
    is: 'reservation',
  },
  { what: 'of matching classes the later one', fields: { vendorClass: 'v' }, is: 'two' },
  { what: 'the subnet wins over what is for everybody', fields: {}, is: 'subnet' },
  {
    what: 'what is for everybody, where nobody else has it',
    fields: { subnetSelection: '10.1.0.0' },
    is: 'all',
  },
];

describe('an option', () => {
  test.each(cases)('$what', async ({ fields, is }) => {
    const rig = new Rig({ plan: everything });
    const offer = await rig.ask(discover({ ask: [15, 42], ...fields }));
    expect([textOf(offer, 15), textOf(offer, 42)]).toEqual([is, 'time']);
  });

  test('lease times follow the same order', async () => {
    const rig = new Rig({ plan: everything });
    const offer = await rig.ask(discover({ vendorClass: 'v' }));
    expect(secondsOf(offer, 51)).toBe(2000);
  });

  test('what the server says itself, a plan does not', async () => {
    const options = new Map([51, 53, 54, 61, 82].map((code) => [code, utf8('nope')]));
    const plan = { subnets: [{ prefix: '10.0.0.0/24', pools: ['10.0.0.10'], options }] };
    const offer = await new Rig({ plan }).ask(discover({ ask: [51, 53, 54, 61, 82] }));
    if (offer === undefined) throw new Error('no offer');
    expect(codesOf(offer)).toEqual([53, 54, 51, 58, 59, 1]);
    expect(secondsOf(offer, 51)).toBe(3600);
  });

  test('runs are remembered, and a new plan has its own', async () => {
    const rig = new Rig({ plan: everything });
    expect(textOf(await rig.ask(discover({ ask: [15] })), 15)).toBe('subnet');
    expect(textOf(await rig.ask(discover({ ask: [15], xid: 2 })), 15)).toBe('subnet');
    const [first] = everything.subnets;
    if (first === undefined) throw new Error('a subnet');
    rig.plan = new Rig({ plan: { subnets: [{ ...first, options: name('new') }] } }).plan;
    expect(textOf(await rig.ask(discover({ ask: [15], xid: 3 })), 15)).toBe('new');
  });

  test('clients that ask for ever other lists fill no memory', async () => {
    const rig = new Rig({ plan: everything });
    for (let at = 0; at < 5000; at += 1) {
      await rig.ask(discover({ ask: [15, at >> 8, at & 255] }));
    }
    expect(rig.counted.every((reason) => reason.startsWith('offered'))).toBe(true);
  });

  test('a boot file too long for its field goes as an option', async () => {
    const bootFile = 'x'.repeat(200);
    const plan = { subnets: [{ prefix: '10.0.0.0/24', pools: ['10.0.0.10'], bootFile }] };
    const offer = await new Rig({ plan }).ask(discover({ ask: [1] }));
    expect([offer?.message.bootFile, textOf(offer, 67)]).toEqual(['', bootFile]);
    expect(ip('10.0.0.10')).toBe(offer?.message.yiaddr);
  });
});

const boot = (level: object) => ({
  subnets: [{ prefix: '10.0.0.0/24', pools: ['10.0.0.10-10.0.0.11'] }],
  classes: [
    { name: 'pxe', match: { vendorClass: { bytes: utf8('PXEClient'), prefix: true } }, ...level },
  ],
});
const pxe = { vendorClass: 'PXEClient:Arch:00007' };
const bootCases = [
  {
    what: '32 asked for: as options',
    ask: [66, 67],
    file: '',
    options: ['boot.example.org', 'grub.efi'],
  },
  {
    what: '32 not asked for: in their fields',
    ask: [1],
    file: 'grub.efi',
    options: [undefined, undefined],
  },
];

test.each(bootCases)('$what', async ({ ask, file, options }) => {
  const level = {
    serverName: 'boot.example.org',
    bootFile: 'grub.efi',
    nextServer: ip('10.0.0.66'),
  };
  const rig = new Rig({ plan: boot(level) });
  const offer = await rig.ask(discover({ ...pxe, ask }));
  expect(offer?.message.bootFile).toBe(file);
  expect([textOf(offer, 66), textOf(offer, 67)]).toEqual(options);
  expect(offer?.message.siaddr).toBe(ip('10.0.0.66'));
  expect((await rig.ask(discover({ ask, mac: MAC.two })))?.message.siaddr).toBe(0);
});
