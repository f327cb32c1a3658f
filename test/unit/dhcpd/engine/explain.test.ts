// `explain`: the decision in words, without an effect.
import { describe, expect, test } from 'vitest';
import { discover } from '../../../support/dhcp/request.ts';
import { bind, MAC, macOf } from '../../../support/dhcp/server-case.ts';
import { ip, LINK, Rig, routed } from '../../../support/dhcp/server-rig.ts';
import { utf8 } from '../../../support/dhcp/simple-plan.ts';

const site = {
  subnets: [{ prefix: '10.0.0.0/24', pools: ['10.0.0.10-10.0.0.11'] }],
  classes: [{ name: 'pxe', match: { vendorClass: { bytes: utf8('PXE'), prefix: true } } }],
  reservations: [
    { at: '10.0.0.50', by: 'mac', mac: macOf(MAC.two) } as const,
    { at: '10.0.0.51', by: 'circuit-id', circuitId: utf8('port 7') } as const,
  ],
};
const mac = macOf(MAC.one);

describe('explain', () => {
  test('an address that a client holds', async () => {
    const rig = new Rig({ plan: site });
    await bind(rig);
    const before = [...rig.book.calls];
    const { verdict, reason, address, steps, last } = rig.server.explain({ mac, link: LINK });
    expect({ verdict, reason, address }).toEqual({
      verdict: 'offer',
      reason: 'offered-own',
      address: ip('10.0.0.10'),
    });
    expect(steps).toEqual([
      'record: 10.0.0.10, bound, told it until 3600 s from now, held until 5430 s from now',
      'subnet 10.0.0.0/24, by link lan0',
      'holds 10.0.0.10 already',
      '10.0.0.10 for 3600 s',
      'offer: offered the address that the client holds already',
      'last time: REQUEST: bound, and acknowledged, 10.0.0.10',
    ]);
    expect(last).toMatchObject({ messageType: 3, reason: 'acked-new' });
    expect(rig.book.calls).toEqual(before);
    expect(rig.sent).toHaveLength(2);
  });

  test('a reservation, without naming where', () => {
    const rig = new Rig({ plan: site });
    const { steps, address } = rig.server.explain({ mac: macOf(MAC.two) });
    expect(address).toBe(ip('10.0.0.50'));
    expect(steps).toContain('reservation by mac: 10.0.0.50');
  });

  test('a circuit behind a relay', () => {
    const rig = new Rig({ plan: site });
    const asked = { mac, relay: ip('10.0.0.254'), circuitId: utf8('port 7') };
    expect(rig.server.explain(asked)).toMatchObject({ address: ip('10.0.0.51') });
  });

  test('a server without an identifier of its own is asked like any other', () => {
    const rig = new Rig({ plan: site, settings: { serverId: undefined } });
    const { verdict } = rig.server.explain({ mac, relay: ip('10.0.0.254') });
    expect(verdict).toBe('offer');
    expect(rig.server.explain({ mac: macOf(MAC.two) })).toMatchObject({ verdict: 'offer' });
  });

  test('a class, and a free address', () => {
    const rig = new Rig({ plan: site });
    const options = new Map([[60, utf8('PXEClient')]]);
    const { steps, verdict } = rig.server.explain({ mac, link: LINK, options });
    expect(verdict).toBe('offer');
    expect(steps).toEqual([
      'subnet 10.0.0.0/24, by link lan0',
      'class pxe',
      '2 of 2 addresses are free',
      'any free address of 10.0.0.0/24',
      'offer: offered an address of the pools',
    ]);
  });

  test.each([
    { what: 'nobody knows it', asked: { mac }, reason: 'unknown-network' },
    { what: 'no such relay', asked: { mac, relay: ip('192.0.2.1') }, reason: 'unknown-network' },
    {
      what: 'it goes on with an address that nobody gave it',
      asked: { mac, link: LINK, address: ip('10.0.0.10') },
      reason: 'not-known',
    },
  ])('silence: $what', ({ asked, reason }) => {
    const explained = new Rig({ plan: site }).server.explain(asked);
    expect(explained).toMatchObject({ verdict: 'silence', reason });
  });

  test('a refusal', () => {
    const asked = { mac, link: LINK, address: ip('192.0.2.9') };
    expect(new Rig({ plan: site }).server.explain(asked)).toMatchObject({
      verdict: 'nak',
      reason: 'nak-wrong-network',
    });
  });

  test('why there was silence last time', async () => {
    const rig = new Rig({ plan: site });
    await rig.ask(discover({ giaddr: '192.0.2.1' }), routed('192.0.2.1'));
    const { steps } = rig.server.explain({ mac, link: LINK });
    expect(steps.at(-1)).toBe('last time: DISCOVER: no subnet of the plan fits where it came from');
  });
});
