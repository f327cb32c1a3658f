import { describe, expect, test } from 'vitest';
import { answerL3 } from '../../../../dhcpd/l3/answer.ts';
import type { Plan } from '../../../../dhcpd/plan/types.ts';
import { type Ipv4, parseIpv4 } from '../../../../shared/net/ipv4.ts';
import { macToBytes, parseMac } from '../../../../shared/net/mac.ts';
import { parsePrefix, prefixContains } from '../../../../shared/net/prefix.ts';

const at = (text: string): Ipv4 => parseIpv4(text) ?? expect.fail(text);
const bytes = (text: string) => macToBytes(parseMac(text) ?? expect.fail(text));
const cidr = parsePrefix('10.64.0.0/16');
if (cidr?.family !== 4) throw new Error('the prefix');
const net = { cidr, host: 'compute-1', dns: [at('10.0.0.53')] };
const plan = {
  l3netOf: (address: Ipv4) => (prefixContains(cidr, address) ? net : undefined),
} as unknown as Plan; // nothing else of a plan is read

const none = at('0.0.0.0');
const cases = [
  ['the VM on its bridge', '02:30:0a:40:00:06', ['10.64.0.5'], '0.0.0.0', '10.64.0.6'],
  ['the VM behind a relay on its bridge', '02:30:0a:40:00:06', undefined, '10.64.0.5', '10.64.0.6'],
  [
    'another address on the link first',
    '02:30:0a:40:01:02',
    ['1.1.1.1', '10.64.1.1'],
    '0.0.0.0',
    '10.64.1.2',
  ],
  [
    '99: the MAC on another VM’s bridge',
    '02:30:0a:40:00:06',
    ['10.64.0.9'],
    '0.0.0.0',
    'l3-other-link',
  ],
  [
    '99: the MAC behind another relay',
    '02:30:0a:40:00:06',
    ['10.64.0.5'],
    '10.64.0.9',
    'l3-other-link',
  ],
  ['99: the gateway’s address', '02:30:0a:40:00:05', ['10.64.0.5'], '0.0.0.0', 'l3-not-a-vm'],
  ['99: the broadcast address', '02:30:0a:40:00:07', ['10.64.0.5'], '0.0.0.0', 'l3-not-a-vm'],
  ['99: the network address', '02:30:0a:40:00:04', ['10.64.0.5'], '0.0.0.0', 'l3-not-a-vm'],
  ['no such net', '02:30:0a:41:00:06', ['10.65.0.5'], '0.0.0.0', 'l3-no-net'],
  ['another MAC on a VM’s bridge', '02:11:0a:40:00:06', ['10.64.0.5'], '0.0.0.0', 'l3-not-a-vm'],
  ['an ordinary client elsewhere', '02:11:0a:40:00:06', ['10.1.0.1'], '0.0.0.0', undefined],
  ['an ordinary client, by unicast', '02:11:0a:40:00:06', undefined, '0.0.0.0', undefined],
] as const;

describe('/30 networks', () => {
  test.each(cases)('%s', (_what, mac, link, relay, outcome) => {
    const linkAddresses = link?.map(at);
    const ingress = { giaddr: at(relay), ...(linkAddresses && { linkAddresses }) };
    const answer = answerL3(plan, 'compute-1', bytes(mac), ingress);
    if (outcome === undefined) expect(answer).toBeUndefined();
    else if (outcome.startsWith('l3-')) expect(answer).toMatchObject({ reason: outcome });
    else expect(answer).toMatchObject({ outcome: 'l3', address: at(outcome) });
  });

  test('99: a network of another host', () => {
    const ingress = { linkAddresses: [at('10.64.0.5')], giaddr: none };
    const answer = answerL3(plan, 'compute-2', bytes('02:30:0a:40:00:06'), ingress);
    expect(answer).toMatchObject({ reason: 'l3-other-host' });
  });

  test('a MAC of another length is nobody’s', () => {
    expect(answerL3(plan, 'compute-1', new Uint8Array(8), { giaddr: none })).toBeUndefined();
  });
});
