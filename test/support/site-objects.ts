// Site objects for property tests: any that are right in themselves.
import fc from 'fast-check';
import { ipv4 } from '../../shared/net/ipv4.ts';
import type { ForwardProtocol } from '../../shared/site/forward.ts';
import { TCP, UDP } from '../../shared/site/forward.ts';
import type { SiteObject } from '../../shared/site/kinds.ts';
import { anyDhcpObject } from './dhcp-objects.ts';

const host = fc
  .tuple(fc.integer({ min: 1, max: 223 }), fc.integer({ min: 0, max: 0xffffff }))
  .filter(([first]) => first !== 127)
  .map(([first, rest]) => ipv4(first * 2 ** 24 + rest));
const name = fc.stringMatching(/^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,62}[a-zA-Z0-9])?$/);
const rate = fc.integer({ min: 1000, max: 1e12 });
const burst = fc.integer({ min: 2048, max: 2 ** 30 });
const port = fc.integer({ min: 1, max: 65535 });
const optional = { requiredKeys: [] };

const limits = fc
  .record({ inBitsPerSecond: rate, outBitsPerSecond: rate, burstBytes: burst }, optional)
  .filter((each) => each.inBitsPerSecond !== undefined || each.outBitsPerSecond !== undefined);

const eip = fc
  .tuple(host, fc.record({ private: host, group: name, source: name }, optional), fc.option(limits))
  .map(([address, more, limit]) => ({ address, ...more, ...(limit ?? {}) }))
  .filter((each) => each.private !== each.address)
  .map((object): SiteObject => ({ kind: 'eip', object }));

const forward = fc
  .record({
    eip: host,
    protocol: fc.constantFrom<ForwardProtocol>(TCP, UDP),
    toAddress: host,
    ports: fc.tuple(port, port, port).map((three) => three.sort((a, b) => a - b)),
    up: fc.boolean(),
  })
  .filter((each) => each.eip !== each.toAddress)
  .map(({ ports: [low = 1, middle = 1, high = 1], up, ...rest }): SiteObject => {
    const width = Math.min(middle - low, high - middle);
    const [firstPort, toFirstPort] = up ? [low, middle] : [middle, low];
    const object = { ...rest, firstPort, lastPort: firstPort + width, toFirstPort };
    return { kind: 'forward', object };
  });

const group = fc
  .tuple(name, limits)
  .map(([of, limit]): SiteObject => ({ kind: 'group', object: { name: of, ...limit } }));

const node = fc
  .record({ name, drain: fc.boolean() })
  .map((object): SiteObject => ({ kind: 'node', object }));

export const anySiteObject = fc.oneof(eip, forward, group, node, anyDhcpObject);
