// What holds of the translation for any table and any packet.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Environment,
  type Forward,
  type Mapping,
  type Program,
  type Table,
  translate,
} from '../../../natter/mapping.ts';
import { eip, LINK_OF, vm } from '../../support/natter-cases.ts';
import { leaksInside, leaksOutside } from '../../support/natter-leaks.ts';
import { createSiteModel, UNIT_IFINDEX } from '../../support/natter-model.ts';
import { mutatedFrame, type RandomFrame, randomFrame } from '../../support/natter-random.ts';
import {
  address,
  checkChecksums,
  describeDifference,
  describeFrame,
  ethernet,
  filler,
  fragments,
  icmpError,
  ipv4,
  tcp,
  udp,
} from '../../support/packet.ts';

const site = createSiteModel();
const runSite = ({ program, frame }: RandomFrame) =>
  site.run({ program, frame, link: LINK_OF[program] });

describe('any packet', () => {
  it('has right checksums after the translation if it had before', () => {
    const property = fc.property(randomFrame, (random) => {
      fc.pre(checkChecksums(random.frame).length === 0);
      const result = runSite(random);
      const wrong = checkChecksums(result.frame);
      expect(wrong, `${describeFrame(random.frame)}\n${describeFrame(result.frame)}`).toEqual([]);
    });
    fc.assert(property, { numRuns: 5000, seed: 1 });
  });

  it('shows no EIP to the inside and no mapped private address to the outside', () => {
    const property = fc.property(fc.oneof(randomFrame, mutatedFrame), (random) => {
      const result = runSite(random);
      if (result.verdict !== 'redirect' || result.fib?.result !== 'success') return;
      const isInward = result.reason !== 'OUT_REDIRECTED';
      const leaks = isInward ? leaksInside : leaksOutside;
      expect(leaks(site.table, result.frame), describeFrame(random.frame)).toEqual([]);
    });
    fc.assert(property, { numRuns: 5000, seed: 2 });
  });

  it('is dropped or passed as it came where it is not translated', () => {
    const property = fc.property(fc.oneof(randomFrame, mutatedFrame), (random) => {
      const { reason, frame, metered } = runSite(random);
      const isTranslated = reason !== undefined && /^(IN|OUT|HAIRPIN)_/.test(reason);
      expect(metered.length > 0).toBe(isTranslated);
      if (isTranslated) return;
      expect(frame).toEqual(random.frame);
    });
    fc.assert(property, { numRuns: 5000, seed: 3 });
  });

  it('may be any bytes at all', () => {
    const programs = fc.constantFrom<Program>('natter_uplink', 'natter_inside', 'natter_egress');
    const property = fc.property(programs, fc.uint8Array({ maxLength: 120 }), (program, bytes) => {
      expect(() => runSite({ program, frame: bytes })).not.toThrow();
    });
    fc.assert(property, { numRuns: 5000, seed: 4 });
  });
});

// ---- In and out again, by random tables

interface RandomTable {
  table: Table;
  forwards: Forward[];
}

/** Up to four EIPs, each with a 1:1 mapping or not, and ranges that lead to VMs without one. */
const randomTable: fc.Arbitrary<RandomTable> = fc
  .array(
    fc.record({
      mapped: fc.boolean(),
      ranges: fc.array(
        fc.record({ length: fc.integer({ min: 1, max: 90 }), to: fc.nat(2), tcp: fc.boolean() }),
        { maxLength: 4 },
      ),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((eips) => {
    const eipToPrivate = new Map<number, Mapping>();
    const privateToEip = new Map<number, Mapping>();
    const forwards: Forward[] = [];
    for (const [index, { mapped, ranges }] of eips.entries()) {
      const outside = address(eip(index));
      const eipForwards = ranges.length > 0;
      const slot = index;
      if (mapped || eipForwards) {
        const inside = mapped ? address(vm(100 + index)) : 0;
        eipToPrivate.set(outside, { address: inside, slot, eipForwards });
        if (mapped) privateToEip.set(inside, { address: outside, slot, eipForwards });
      }
      for (const [at, { length, to, tcp: isTcp }] of ranges.entries()) {
        const target = address(vm(to));
        const first = 1000 * at + 100;
        const targetFirst = 5000 + 1000 * index + 100 * at; // of its own for every range
        const portOffset = targetFirst - first;
        const protocol = isTcp ? 6 : 17;
        const last = first + length - 1;
        forwards.push({ address: outside, protocol, first, last, target, portOffset, slot });
        privateToEip.set(target, { address: 0, slot: 0, privateForwarded: true });
      }
    }
    const table: Table = {
      eipToPrivate,
      privateToEip,
      forwardsIn: forwards,
      forwardsOut: forwards.map(reversed),
      fragments: [],
      links: new Map([[2, { uplink: true, inside: false }]]),
      internalPrefixes: [],
    };
    return { table, forwards };
  });

function reversed(forward: Forward): Forward {
  const shift = (port: number) => (port + forward.portOffset) & 0xffff;
  return {
    ...forward,
    address: forward.target,
    first: shift(forward.first),
    last: shift(forward.last),
    target: forward.address,
    portOffset: -forward.portOffset & 0xffff,
  };
}

const MAC = '02:00:00:00:00:01';
const toAnywhere: Environment = {
  ifindex: UNIT_IFINDEX.uplink,
  isHost: true,
  nowNs: 0,
  fib: () => ({
    result: 'success',
    ifindex: UNIT_IFINDEX.uplink,
    sourceMac: 0x020000000001,
    destinationMac: 0x020000000001,
  }),
};

const randomToEip = fc.record({
  eip: fc.nat(3).map(eip),
  client: fc.constantFrom('203.0.113.5', '192.0.2.99'),
  port: fc.oneof(fc.integer({ min: 90, max: 3200 }), fc.constantFrom(0, 65535)),
  isTcp: fc.boolean(),
  isError: fc.boolean(),
  quotedBytes: fc.constantFrom(8, 20, 1000),
  noChecksum: fc.boolean(),
  isFragment: fc.boolean(),
  data: fc.nat(40).map(filler),
});

function buildToEip(random: ReturnType<typeof randomToEip.generate>['value']): Uint8Array {
  const { client, port, isTcp, data } = random;
  const options = random.noChecksum && !isTcp ? { checksum: 0 } : {};
  const layer = (from: number, to: number) =>
    isTcp ? tcp(from, to, data) : udp(from, to, data, options);
  if (random.isError) {
    const quoted = ipv4(random.eip, client, layer(port, 7));
    return ipv4(client, random.eip, icmpError(3, 3, quoted, { bytes: random.quotedBytes }));
  }
  if (!random.isFragment) return ipv4(client, random.eip, layer(7, port));
  return fragments(client, random.eip, layer(7, port), [24])[0] ?? filler(0);
}

/** Source and destination exchanged in all headers; no checksum changes by that. */
function turnedAround(frame: Uint8Array): Uint8Array {
  const turned = frame.slice();
  const swap = (at: number, other: number, bytes: number) => {
    const kept = turned.slice(at, at + bytes);
    turned.copyWithin(at, other, other + bytes);
    turned.set(kept, other);
  };
  swap(26, 30, 4);
  if (frame[23] !== 1) swap(34, 36, 2);
  else {
    swap(54, 58, 4);
    swap(62, 64, 2);
  }
  return turned;
}

describe('in and out again', () => {
  it('gives the packet that came, but for two hops', () => {
    let translated = 0;
    const property = fc.property(randomTable, randomToEip, ({ table }, random) => {
      const frame = ethernet(MAC, MAC, buildToEip(random));
      const inward = translate(table, 'natter_uplink', frame, toAnywhere);
      if (inward.verdict !== 'redirect') {
        expect(inward.reason).toMatch(/^(PASS_NOT_EIP|DROP_NO_FORWARD)$/);
        return;
      }
      translated += 1;
      const back = translate(table, 'natter_inside', turnedAround(inward.frame), toAnywhere);
      expect(back.reason, describeFrame(inward.frame)).toBe('OUT_REDIRECTED');
      const once = turnedAround(back.frame);
      const expected = ethernet(MAC, MAC, hopsLess(buildToEip(random), 2));
      expect(Buffer.compare(once, expected), describeDifference(once, expected)).toBe(0);
    });
    fc.assert(property, { numRuns: 5000, seed: 5 });
    expect(translated).toBeGreaterThan(1000);
  });
});

/** TTL and header checksum as `hops` routers leave them, summed anew. */
function hopsLess(packet: Uint8Array, hops: number): Uint8Array {
  const after = packet.slice();
  const view = new DataView(after.buffer);
  view.setUint8(8, view.getUint8(8) - hops);
  view.setUint16(10, 0);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += view.getUint16(at);
  view.setUint16(10, 0xffff - (sum % 0xffff));
  return after;
}
