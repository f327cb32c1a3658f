import { describe, expect, test } from 'vitest';
import { LinkProber, type Probed, type ProberOptions } from '../../../../dhcpd/io/prober.ts';
import type { Link } from '../../../../dhcpd/io/types.ts';
import { ManualClock } from '../../../../shared/clock.ts';
import { ipv4 } from '../../../../shared/net/ipv4.ts';

const A = ipv4(0x0a010007);
const eth1: Link = {
  name: 'eth1',
  mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
  addresses: [{ family: 4, address: ipv4(0x0a010001), bits: 24 }],
};

function prober(given: Partial<ProberOptions> = {}) {
  const clock = new ManualClock();
  const frames: string[] = [];
  const results: Probed[] = [];
  const own = new LinkProber({
    timeoutMs: 300,
    cacheMs: 30_000,
    maxPerSecond: 2,
    arp: true,
    ping: async () => true,
    link: (name) => (name === 'eth1' ? eth1 : undefined),
    sendFrame: (_link, frame) => void frames.push(Buffer.from(frame).toString('hex')),
    clock,
    onProbed: (result) => void results.push(result),
    ...given,
  });
  return { own, clock, frames, results };
}

describe('on a link', () => {
  test('who answers ARP uses the address; it is asked from our own', async () => {
    const { own, frames } = prober();
    const probe = own.probe(A, 'eth1');
    expect(frames).toEqual([expect.stringMatching(/0a0100010000000000000a010007$/)]);
    own.arpReply('eth2', A);
    own.arpReply('eth1', ipv4(1));
    own.arpReply('eth1', A);
    expect(await probe).toBe('in-use');
  });

  test('who does not in time does not', async () => {
    const { own, clock } = prober();
    const probe = own.probe(A, 'eth1');
    await clock.advance(300);
    expect(await probe).toBe('silent');
    expect(clock.pending).toBe(0);
  });

  test('the same address is asked once, and remembered for a while', async () => {
    const { own, clock, frames } = prober();
    const both = [own.probe(A, 'eth1'), own.probe(A, 'eth1')];
    await clock.advance(300);
    expect(await Promise.all(both)).toEqual(['silent', 'silent']);
    expect(await own.probe(A, 'eth1')).toBe('silent');
    expect(frames).toHaveLength(1);
    await clock.advance(30_000);
    void own.probe(A, 'eth1');
    expect(frames).toHaveLength(2);
  });

  test('under load it is not asked, which is not remembered', async () => {
    const { own, clock, frames, results } = prober();
    void own.probe(ipv4(1), 'eth1');
    void own.probe(ipv4(2), 'eth1');
    expect(await own.probe(A, 'eth1')).toBe('not-probed');
    await clock.advance(1000);
    void own.probe(A, 'eth1');
    expect(frames).toHaveLength(3);
    expect(results).toEqual(['not-probed', 'silent', 'silent']);
  });
});

describe('not asked', () => {
  test.each([
    ['ARP is off', 'eth1', { arp: false }],
    ['the link is gone', 'eth9', {}],
    ['ICMP is off, behind a relay', undefined, { ping: undefined }],
  ])('%s', async (_what, link, given) => {
    expect(await prober(given).own.probe(A, link)).toBe('not-probed');
  });
});

test.each([
  ['answers', true, 'in-use'],
  ['is silent', false, 'silent'],
])('behind a relay, an address that %s', async (_what, answers, result) => {
  expect(await prober({ ping: async () => answers }).own.probe(A, undefined)).toBe(result);
});
