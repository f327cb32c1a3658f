import { expect, test } from 'vitest';
import type { PortForward } from '../../../natter/state.ts';
import { type Planned, Table } from '../../../natter/table.ts';

const EIP = 0xc633_6408;
let looks = 0;

/** Counts how often it is looked at. */
function forward(port: number, protocol: number): PortForward {
  const object: PortForward = {
    kind: 'forward',
    id: `198.51.100.8:${port}/${protocol}`,
    eip: EIP,
    protocol,
    first: port,
    last: port,
    to: 0x0a00_0001 + (port >> 8),
    toFirst: port,
  };
  return new Proxy(object, {
    get(target, name) {
      looks += 1;
      return Reflect.get(target, name);
    },
  });
}

test('an EIP may have a forward for every port: neither loading nor a change looks at all', () => {
  const table = new Table({ capacity: { eips: 16, forwards: 200_000, limits: 16 } });
  table.load({ kind: 'eip', address: EIP });
  const ports = Array.from({ length: 65_535 }, (_, at) => ((at * 7919) % 65_535) + 1);
  for (const port of ports) expect(table.load(forward(port, 6))).toBeUndefined();
  expect(table.check()).toEqual([]);
  expect(looks / ports.length).toBeLessThan(300);
  looks = 0;
  const planned = table.change([{ object: forward(9, 17) }]) as Planned; // it is not refused
  expect(planned.operations.map(({ map }) => map)).toEqual(['forwards_out', 'forwards_in']);
  expect(looks).toBeLessThan(300);
  planned.undo();
  expect(table.state.forwardCount).toBe(65_535);
});

test('ranges that overlap a neighbour on either side are refused', () => {
  const table = new Table({ capacity: { eips: 16, forwards: 1000, limits: 16 } });
  table.load({ kind: 'eip', address: EIP });
  const range = (id: string, first: number, last: number, to = first) => {
    const base = { kind: 'forward', eip: EIP, protocol: 6, to: 0x0a00_0001 } as const;
    return table.load({ ...base, id, first, last, toFirst: to });
  };
  expect(range('a', 100, 199)).toBeUndefined();
  expect(range('b', 300, 399)).toBeUndefined();
  expect(range('c', 150, 160, 1)).toContain('overlap those of forward a');
  expect(range('d', 50, 100, 1)).toContain('overlap those of forward a');
  expect(range('e', 250, 300, 1)).toContain('overlap those of forward b');
  expect(range('f', 1, 1000, 1001)).toMatch(/overlap those of forward [ab]/);
  expect(range('g', 200, 299)).toBeUndefined();
  expect(range('h', 500, 509, 195)).toContain('that forward a leads to');
});
