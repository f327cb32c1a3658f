import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Operation } from '../../../natter/entries.ts';
import { Slot } from '../../../natter/entries.ts';
import type { DesiredObject } from '../../../natter/state.ts';
import { type ObjectChange, type Planned, type Refused, Table } from '../../../natter/table.ts';
import { parseIpv4 } from '../../../shared/net/ipv4.ts';

const capacity = { eips: 64, forwards: 256, limits: 32 };
const ip = (text: string): number => parseIpv4(text) ?? 0;
const eip = (address: string, mapped?: string, more = {}): DesiredObject => ({
  kind: 'eip',
  address: ip(address),
  ...(mapped === undefined ? {} : { private: ip(mapped) }),
  ...more,
});
const forward = (id: string, to: string, protocol = 6): DesiredObject => {
  const [address = '', ports = ''] = id.split(':');
  const [first = '', last = first] = ports.split('-');
  const [target = '', port = ''] = to.split(':');
  const range = { first: Number(first), last: Number(last) };
  return {
    kind: 'forward',
    id: `${id}/${protocol}`,
    eip: ip(address),
    protocol,
    ...range,
    to: ip(target),
    toFirst: Number(port),
  };
};

function accepted(result: Planned | Refused): Operation[] {
  if ('reasons' in result) throw new Error(result.reasons.join('; '));
  result.commit();
  return result.operations;
}

function table(...objects: DesiredObject[]): Table {
  const made = new Table({ capacity });
  accepted(made.change(objects.map((object) => ({ object }))));
  return made;
}

function reasons(result: Planned | Refused): string[] {
  return 'reasons' in result ? result.reasons : [];
}

describe('what an EIP becomes', () => {
  test('a mapping in both directions, the way out before the way in', () => {
    const made = new Table({ capacity });
    const object = eip('198.51.100.7', '10.0.0.5');
    const operations = accepted(made.change([{ object }]));
    const [e, p] = [ip('198.51.100.7'), ip('10.0.0.5')];
    expect(operations).toEqual([
      { map: 'meters', key: 0, value: 'zero' },
      { map: 'private_to_eip', key: p, value: { address: e, slotFlags: 0 } },
      { map: 'eip_to_private', key: e, value: { address: p, slotFlags: 0 } },
    ]);
  });

  test('deleted in reverse', () => {
    const made = table(eip('198.51.100.7', '10.0.0.5'));
    const operations = accepted(made.change([{ removed: 'eip', address: ip('198.51.100.7') }]));
    expect(operations.map(({ map, value }) => [map, value])).toEqual([
      ['eip_to_private', undefined],
      ['private_to_eip', undefined],
    ]);
  });

  test('moved to another private address: its slot stays, the old way out goes last', () => {
    const made = table(eip('198.51.100.6', '10.0.0.4'), eip('198.51.100.7', '10.0.0.5'));
    const object = eip('198.51.100.7', '10.0.0.9');
    const [e, from, to] = [ip('198.51.100.7'), ip('10.0.0.5'), ip('10.0.0.9')];
    expect(accepted(made.change([{ object }]))).toEqual([
      { map: 'private_to_eip', key: to, value: { address: e, slotFlags: 1 } },
      { map: 'eip_to_private', key: e, value: { address: to, slotFlags: 1 } },
      { map: 'private_to_eip', key: from, value: undefined },
    ]);
  });

  test('a change that changes nothing writes nothing', () => {
    const object = eip('198.51.100.7', '10.0.0.5', { in: 1_000_000 });
    expect(accepted(table(object).change([{ object }]))).toEqual([]);
  });

  test('two EIPs swap their private addresses in one change', () => {
    const made = table(eip('198.51.100.6', '10.0.0.4'), eip('198.51.100.7', '10.0.0.5'));
    const swapped = [eip('198.51.100.6', '10.0.0.5'), eip('198.51.100.7', '10.0.0.4')];
    const operations = accepted(made.change(swapped.map((object) => ({ object }))));
    expect(operations.map(({ map }) => map)).toEqual([
      'private_to_eip',
      'private_to_eip',
      'eip_to_private',
      'eip_to_private',
    ]);
  });
});

describe('forwards', () => {
  test('flag the EIP, and the private address that they lead to', () => {
    const object = forward('198.51.100.8:443', '10.0.0.6:8443');
    const made = table(eip('198.51.100.8', '10.0.0.5'), object);
    expect(made.state.forwardBlocks).toBe(1);
    const [e, p] = [ip('198.51.100.8'), ip('10.0.0.6')];
    const gone = accepted(made.change([{ removed: 'forward', eip: e, id: '198.51.100.8:443/6' }]));
    const plain = { address: e, slotFlags: 0 };
    expect(gone).toEqual(
      expect.arrayContaining([
        { map: 'private_to_eip', key: ip('10.0.0.5'), value: plain },
        { map: 'private_to_eip', key: p, value: undefined },
      ]),
    );
    const back = accepted(made.change([{ object }]));
    const value = { address: 0, slotFlags: Slot.privateForwarded };
    expect(back).toContainEqual({ map: 'private_to_eip', key: p, value });
    const keyIn = { address: e, protocol: 6, port: 443, prefixBits: 64 };
    const inward = { address: p, portOffset: 8000, slotFlags: Slot.eipForwards };
    expect(back).toContainEqual({ map: 'forwards_in', key: keyIn, value: inward });
    const keyOut = { address: p, protocol: 6, port: 8443, prefixBits: 64 };
    const outward = { address: e, portOffset: 65536 - 8000, slotFlags: Slot.eipForwards };
    expect(back).toContainEqual({ map: 'forwards_out', key: keyOut, value: outward });
  });
});

describe('limits', () => {
  test('a group that gains a limit reaches its members, and no one else', () => {
    const made = table(
      { kind: 'group', name: 'gold', in: 1e9 },
      eip('198.51.100.7', '10.0.0.5', { group: 'gold' }),
      eip('198.51.100.8', '10.0.0.6'),
    );
    const object: DesiredObject = { kind: 'group', name: 'gold', in: 1e9, out: 1e9 };
    const operations = accepted(made.change([{ object }]));
    const limits = { inBucket: 0, outBucket: 0, inGroupBucket: 1, outGroupBucket: 2 };
    expect(operations).toContainEqual({ map: 'slot_limits', key: 0, value: limits });
    const flags = (Slot.limitIn | Slot.limitOut) >>> 0;
    const mapping = { address: ip('10.0.0.5'), slotFlags: flags };
    const key = ip('198.51.100.7');
    expect(operations).toContainEqual({ map: 'eip_to_private', key, value: mapping });
    expect(operations.some((operation) => operation.key === ip('198.51.100.8'))).toBe(false);
    const states = operations.filter(({ map }) => map === 'bucket_states');
    expect(states).toEqual([{ map: 'bucket_states', key: 2, value: 'full' }]);
  });
});

describe('what is refused, whole', () => {
  const base = [
    eip('198.51.100.7', '10.0.0.5'),
    eip('198.51.100.8'),
    forward('198.51.100.8:8000-8099', '10.0.0.6:9000'),
  ];
  const cases: [string, ObjectChange[], RegExp][] = [
    [
      'a private address mapped twice',
      [{ object: eip('198.51.100.9', '10.0.0.5') }],
      /private 10\.0\.0\.5 is mapped by eip 198\.51\.100\.7 too/,
    ],
    ['an EIP that is a private address', [{ object: eip('10.0.0.5') }], /is a private address too/],
    [
      'a private address that is an EIP',
      [{ object: eip('198.51.100.9', '198.51.100.7') }],
      /private 198\.51\.100\.7 is an eip too/,
    ],
    [
      'an unknown group',
      [{ object: eip('198.51.100.9', '10.0.0.9', { group: 'gold' }) }],
      /group gold is unknown/,
    ],
    [
      'forwards that overlap',
      [{ object: forward('198.51.100.8:8050', '10.0.0.9:1') }],
      /overlap those of forward 198\.51\.100\.8:8000-8099/,
    ],
    [
      'two forwards to one port',
      [{ object: forward('198.51.100.7:99', '10.0.0.6:9001') }],
      /leads to ports of 10\.0\.0\.6/,
    ],
    [
      'a forward without its EIP',
      [{ object: forward('198.51.100.9:1', '10.0.0.9:1') }],
      /there is no eip 198\.51\.100\.9/,
    ],
    [
      'an EIP deleted under its forwards',
      [{ removed: 'eip', address: ip('198.51.100.8') }],
      /there is no eip 198\.51\.100\.8/,
    ],
    [
      'a forward to what another EIP maps',
      [{ object: forward('198.51.100.8:1', '10.0.0.5:1') }],
      /which eip 198\.51\.100\.7 maps/,
    ],
    ['an address of this host', [{ object: eip('192.0.2.1', '10.0.0.9') }], /address of this host/],
  ];
  test.each(cases)('%s', (_name, changes, expected) => {
    const isLocal = (address: number) => address === ip('192.0.2.1');
    const made = new Table({ capacity, isLocal });
    accepted(made.change(base.map((object) => ({ object }))));
    const before = dump(made);
    const good: ObjectChange = { object: eip('198.51.100.20', '10.0.0.20') };
    expect(reasons(made.change([good, ...changes])).join('\n')).toMatch(expected);
    expect(dump(made)).toEqual(before);
  });

  test('every reason is named', () => {
    const made = table(...base);
    const result = made.change([
      { object: eip('198.51.100.9', '10.0.0.5') },
      { object: forward('198.51.100.8:8050', '10.0.0.9:1') },
    ]);
    expect(reasons(result)).toHaveLength(2);
  });

  test('more than there is room for', () => {
    const made = new Table({ capacity: { ...capacity, eips: 2 } });
    const three = [eip('198.51.100.1'), eip('198.51.100.2'), eip('198.51.100.3')];
    const result = made.change(three.map((object) => ({ object })));
    expect(reasons(result)).toEqual([
      'eip 198.51.100.3: the table has room for 2 eips (capacity.eips)',
    ]);
  });

  test('a full table still takes an exchange', () => {
    const made = new Table({ capacity: { ...capacity, eips: 1 } });
    accepted(made.change([{ object: eip('198.51.100.1', '10.0.0.1') }]));
    const exchange: ObjectChange[] = [
      { removed: 'eip', address: ip('198.51.100.1') },
      { object: eip('198.51.100.2', '10.0.0.1') },
    ];
    const operations = accepted(made.change(exchange));
    expect(operations[0]).toEqual({ map: 'meters', key: 0, value: 'zero' });
  });
});

test('numbers that an owner had are its own again after a restart', () => {
  const old = table(
    eip('198.51.100.1', '10.0.0.1'),
    eip('198.51.100.2', '10.0.0.2', { in: 1e6 }),
    eip('198.51.100.3', '10.0.0.3', { out: 1e6 }),
  );
  const fresh = new Table({ capacity, recovered: old.state.numbers() });
  for (const last of ['3', '4', '2']) {
    const limits = last === '4' ? {} : last === '2' ? { in: 1e6 } : { out: 1e6 };
    expect(fresh.load(eip(`198.51.100.${last}`, `10.0.0.${last}`, limits))).toBeUndefined();
  }
  expect(fresh.check()).toEqual([]);
  for (const last of ['2', '3']) {
    const address = ip(`198.51.100.${last}`);
    const slot = old.state.slotOfEip.get(address) ?? -1;
    expect(fresh.state.slotOfEip.get(address)).toBe(slot);
    expect(fresh.state.limited.get(slot)).toEqual(old.state.limited.get(slot));
  }
  accepted(fresh.change([{ object: eip('198.51.100.5') }]));
  expect(fresh.state.slotOfEip.get(ip('198.51.100.5'))).toBe(0);
});

// A model that is too simple to be wrong: all objects, the kernel's maps as written by operations.
const addresses = ['198.51.100.1', '198.51.100.2', '198.51.100.3', '198.51.100.4'];
const privates = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
const someEip = fc
  .record({
    address: fc.constantFrom(...addresses),
    mapped: fc.option(fc.constantFrom(...privates), { nil: undefined }),
    more: fc.constantFrom({}, { in: 1e6 }, { in: 1e6, out: 2e6 }, { group: 'gold' }),
  })
  .map(({ address, mapped, more }): ObjectChange => ({ object: eip(address, mapped, more) }));
const someForward = fc
  .record({
    from: fc.constantFrom(...addresses),
    ports: fc.constantFrom('80', '80-95', '90-99'),
    to: fc.constantFrom(...privates),
    port: fc.constantFrom('80', '8080', '90'),
  })
  .map(
    ({ from, ports, to, port }): ObjectChange => ({
      object: forward(`${from}:${ports}`, `${to}:${port}`),
    }),
  );
const someGroup = fc
  .constantFrom({ in: 1e9 }, { out: 1e9 }, { in: 1e8, out: 1e8 })
  .map((rates): ObjectChange => ({ object: { kind: 'group', name: 'gold', ...rates } }));
const someObject = fc.oneof(someEip, someForward, someGroup);
const someChange = fc.oneof(
  { weight: 3, arbitrary: someObject },
  { weight: 1, arbitrary: someObject.map((change) => removal(change)) },
);

function removal(change: ObjectChange): ObjectChange {
  if (!('object' in change)) return change;
  const { object } = change;
  if (object.kind === 'eip') return { removed: 'eip', address: object.address };
  if (object.kind === 'group') return { removed: 'group', name: object.name };
  return { removed: 'forward', eip: object.eip, id: object.id };
}

/** All objects in the table, sorted. */
function dump(made: Table): unknown[] {
  const { state } = made;
  const eips = [...state.slotOfEip.entries()].map(([address, slot]) => [state.eip(address), slot]);
  const forwards = [...state.forwardsOfEip.values()].flat();
  const all = [...eips, ...forwards, ...state.groups.values(), state.bucketCount];
  return all.map((item) => JSON.stringify(item, sorted)).sort();
}

function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const write = (maps: Map<string, unknown>, operations: Operation[]) => {
  for (const { map, key, value } of operations) {
    if (map === 'meters') continue;
    const text = `${map} ${JSON.stringify(key, sorted)}`;
    if (value === undefined) maps.delete(text);
    else maps.set(text, value);
  }
};

test('changes in any order give the table that is built afresh from what is left', () => {
  const sequences = fc.array(fc.array(someChange, { minLength: 1, maxLength: 5 }), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(sequences, (sequence) => {
      const grown = new Table({ capacity });
      const maps = new Map<string, unknown>();
      for (const changes of sequence) {
        const before = dump(grown);
        const result = grown.change(changes);
        if ('reasons' in result) expect(dump(grown)).toEqual(before);
        else write(maps, accepted(result));
      }
      const fresh = new Table({ capacity, recovered: grown.state.numbers() });
      const objects: DesiredObject[] = [
        ...grown.state.groups.values(),
        ...[...grown.state.forwardsOfEip.values()].flat(),
      ];
      for (const [address] of grown.state.slotOfEip.entries()) {
        const object = grown.state.eip(address);
        if (object !== undefined) objects.push(object);
      }
      for (const object of objects) expect(fresh.load(object)).toBeUndefined();
      expect(fresh.check()).toEqual([]);
      expect(dump(fresh)).toEqual(dump(grown));
      const all = new Map<string, unknown>();
      write(all, accepted(emptied(fresh)));
      expect([...maps].sort()).toEqual([...all].sort());
    }),
    { numRuns: 500 },
  );
});

/**
 * The writes of a table from nothing: its objects applied to an empty one with the same numbers.
 */
function emptied(from: Table): Planned | Refused {
  const made = new Table({ capacity, recovered: from.state.numbers() });
  const objects: DesiredObject[] = [...from.state.groups.values()];
  for (const [address] of from.state.slotOfEip.entries()) {
    const object = from.state.eip(address);
    if (object !== undefined) objects.push(object);
  }
  objects.push(...[...from.state.forwardsOfEip.values()].flat());
  return made.change(objects.map((object) => ({ object })));
}

test('what was planned and undone is as if it had never been', () => {
  const sequences = fc.array(fc.tuple(fc.array(someChange, { maxLength: 5 }), fc.boolean()));
  fc.assert(
    fc.property(sequences, (sequence) => {
      const made = new Table({ capacity: { eips: 3, forwards: 64, limits: 4 } });
      for (const [changes, keep] of sequence) {
        const before = dump(made);
        const result = made.change(changes);
        if ('reasons' in result) expect(dump(made)).toEqual(before);
        else if (keep) result.commit();
        else {
          result.undo();
          expect(dump(made)).toEqual(before);
        }
      }
    }),
    { numRuns: 500 },
  );
});
