// Every row of the table in docs/leases.md §4, outside of quarantine: what the record says before
// (taught), the item, the code, and what the record says then. Times are relative to Redis' own.
import { NO_END } from '../../../dhcpd/leases/record.ts';
import { CODE, type Lease, type Op, STATE } from '../../../dhcpd/leases/types.ts';
import { nodeA, nodeB, type Want } from './lease-items.ts';

export type OpCase = {
  op: Op;
  what: string;
  /** By Redis' time. */
  before?: (now: number) => Want;
  item: (now: number) => Want;
  code: number;
  /** `then`: the time before the record was taught. */
  after?: (now: number, then: number) => Partial<Lease>;
};

const { bound, free, reserved, declined, unused } = STATE;
const held = (now: number): Want => ({
  client: 2,
  state: bound,
  generation: 5,
  holdUntil: now + 50,
  toldUntil: now + 30,
  boundAt: now - 70,
});
const lapsed = (now: number): Want => ({ ...held(now), holdUntil: now - 1, toldUntil: now - 9 });
const freed = (now: number): Want => ({ ...held(now), state: free });
const freeLapsed = (now: number): Want => ({ ...lapsed(now), state: free });
/** Taught reserves are long ones; `instance` B's unless said. */
const longReserve = (now: number): Want => ({
  ...held(now),
  state: reserved,
  isLongReserve: true,
  instance: nodeB,
});
const lapsedReserve = (now: number): Want => ({ ...longReserve(now), holdUntil: now - 1 });
const own = (now: number): Want => ({ ...longReserve(now), instance: nodeA });
const refused = (now: number): Want => ({
  state: declined,
  generation: 6,
  holdUntil: now + 50,
  leaseSeconds: 60,
});
const lapsedDeclined = (now: number): Want => ({ ...refused(now), holdUntil: now - 1 });
const by =
  (client: number, more: Want = {}) =>
  (): Want => ({ client, ...more });

const bindCases: Omit<OpCase, 'op'>[] = [
  {
    what: 'an address that was never used',
    item: by(2),
    code: CODE.done,
    after: (now) => ({
      state: bound,
      generation: 1,
      boundAt: now,
      holdUntil: now + 100,
      toldUntil: now + 60,
      instance: nodeA,
    }),
  },
  {
    what: 'by its owner keeps generation and the time it began, and the later hold',
    before: held,
    item: by(2, { seconds: 10 }),
    code: CODE.done,
    after: (now, then) => ({
      generation: 5,
      boundAt: then - 70,
      holdUntil: Math.max(then + 50, now + 10),
      toldUntil: now + 60,
    }),
  },
  {
    what: 'by its owner after the hold',
    before: lapsed,
    item: by(2),
    code: CODE.done,
    after: () => ({ generation: 5 }),
  },
  { what: 'by another while it is held', before: held, item: by(4), code: CODE.taken },
  {
    what: 'by another with a long key while it is held',
    before: (now) => ({ ...held(now), client: 1 }),
    item: by(3),
    code: CODE.taken,
  },
  {
    what: 'by another after the hold',
    before: lapsed,
    item: by(4),
    code: CODE.done,
    after: (now) => ({ generation: 6, boundAt: now }),
  },
  {
    what: 'by the one before while it rests',
    before: freed,
    item: by(2),
    code: CODE.done,
    after: (now) => ({ generation: 6, holdUntil: now + 100 }),
  },
  { what: 'by another while it rests', before: freed, item: by(4), code: CODE.taken },
  { what: 'by another after its rest', before: freeLapsed, item: by(4), code: CODE.done },
  { what: "from another's long reserve", before: longReserve, item: by(4), code: CODE.reserved },
  {
    what: "from another's long reserve, offered",
    before: longReserve,
    item: by(4, { offered: true }),
    code: CODE.reserved,
  },
  {
    what: "from another's reserve by its former owner",
    before: longReserve,
    item: by(2),
    code: CODE.reserved,
  },
  { what: 'from its own long reserve', before: own, item: by(4), code: CODE.done },
  {
    what: 'from a reserve raises the generation for its former owner, too',
    before: own,
    item: by(2),
    code: CODE.done,
    after: () => ({ generation: 6, isLongReserve: false }),
  },
  { what: 'from a reserve that lapsed', before: lapsedReserve, item: by(4), code: CODE.done },
  { what: 'what was declined', before: refused, item: by(4), code: CODE.declined },
  { what: 'what was declined long ago', before: lapsedDeclined, item: by(4), code: CODE.done },
  {
    what: 'without an end',
    item: by(2, { seconds: NO_END, leaseSeconds: NO_END }),
    code: CODE.done,
    after: () => ({ holdUntil: NO_END, toldUntil: NO_END }),
  },
];

const reserveCases: Omit<OpCase, 'op'>[] = [
  {
    what: 'what was never used',
    item: by(0, { isLongReserve: true }),
    code: CODE.done,
    after: (now) => ({
      state: reserved,
      generation: 0,
      holdUntil: now + 100,
      isLongReserve: true,
      instance: nodeA,
    }),
  },
  {
    what: 'what lapsed keeps the key',
    before: lapsed,
    item: by(0),
    code: CODE.done,
    after: (_, then) => ({
      state: reserved,
      generation: 5,
      hlen: 6,
      toldUntil: then - 9,
      isLongReserve: false,
    }),
  },
  { what: 'what is held', before: held, item: by(0), code: CODE.taken },
  { what: 'what rests', before: freed, item: by(0), code: CODE.taken },
  { what: 'what was declined', before: refused, item: by(0), code: CODE.declined },
  { what: "another's", before: longReserve, item: by(0), code: CODE.reserved },
  {
    what: 'its own again',
    before: own,
    item: by(0, { seconds: 7 }),
    code: CODE.done,
    after: (now) => ({ holdUntil: now + 7, isLongReserve: false }),
  },
];

const unreserveCases: Omit<OpCase, 'op'>[] = [
  { what: 'nothing', item: by(0), code: CODE.nothing },
  { what: "another's", before: longReserve, item: by(0), code: CODE.reserved },
  {
    what: 'gives back with its key',
    before: own,
    item: by(0),
    code: CODE.done,
    after: (now) => ({ state: free, generation: 5, holdUntil: now - 1, isLongReserve: false }),
  },
  {
    what: 'gives back what was never used',
    before: (now) => ({ ...own(now), client: 0, generation: 0 }),
    item: by(0),
    code: CODE.done,
    after: () => ({ state: unused, generation: 0, holdUntil: 0, instance: 0, version: 2 }),
  },
];

const releaseCases: Omit<OpCase, 'op'>[] = [
  {
    what: 'rests',
    before: (now) => ({ ...held(now), holdUntil: now + 5000 }),
    item: by(2, { generation: 5, seconds: 60 }),
    code: CODE.done,
    after: (now) => ({ state: free, generation: 6, holdUntil: now + 60 }),
  },
  {
    what: 'never holds longer',
    before: lapsed,
    item: by(2, { generation: 5 }),
    code: CODE.done,
    after: (_, then) => ({ holdUntil: then - 1 }),
  },
  { what: 'of a former time', before: held, item: by(2, { generation: 4 }), code: CODE.stale },
  { what: "of another's", before: held, item: by(4, { generation: 5 }), code: CODE.stale },
  { what: 'of what is free', before: freed, item: by(2, { generation: 5 }), code: CODE.nothing },
  { what: 'of what is reserved', before: own, item: by(2, { generation: 5 }), code: CODE.nothing },
];

const declineCases: Omit<OpCase, 'op'>[] = [
  {
    what: 'by its owner',
    before: held,
    item: by(2, { generation: 5, seconds: 600 }),
    code: CODE.done,
    after: (now) => ({
      state: declined,
      generation: 6,
      holdUntil: now + 600,
      key: new Uint8Array(0),
    }),
  },
  { what: 'of a former time', before: held, item: by(2, { generation: 4 }), code: CODE.stale },
  { what: "of another's", before: held, item: by(4, { generation: 5 }), code: CODE.stale },
  {
    what: 'of what is free',
    before: freeLapsed,
    item: by(2, { generation: 5 }),
    code: CODE.nothing,
  },
  { what: 'twice', before: refused, item: by(2), code: CODE.nothing },
  { what: 'of its own reserve, not offered', before: own, item: by(2), code: CODE.reserved },
  {
    what: 'of its own reserve',
    before: own,
    item: by(0, { offered: true }),
    code: CODE.done,
    after: () => ({ state: declined, generation: 6, isLongReserve: false }),
  },
  {
    what: "of another's long reserve",
    before: longReserve,
    item: by(2, { offered: true }),
    code: CODE.reserved,
  },
];

const freeCases: Omit<OpCase, 'op'>[] = [
  {
    what: 'what is held',
    before: held,
    item: by(0, { generation: 5, seconds: 60 }),
    code: CODE.done,
    after: (now) => ({ state: free, generation: 6, holdUntil: now + 60, hlen: 6 }),
  },
  {
    what: 'by force',
    before: held,
    item: by(0, { generation: 5, force: true }),
    code: CODE.done,
    after: () => ({ state: free, generation: 6, holdUntil: 0 }),
  },
  {
    what: 'what was declined',
    before: refused,
    item: by(0, { generation: 6 }),
    code: CODE.done,
  },
  { what: 'another generation', before: held, item: by(0, { generation: 4 }), code: CODE.stale },
  { what: 'nothing', item: by(0), code: CODE.nothing },
  {
    what: 'what is reserved',
    before: own,
    item: by(0, { generation: 5 }),
    code: CODE.reserved,
  },
  {
    what: 'what is reserved, by force',
    before: longReserve,
    item: by(0, { generation: 5, force: true }),
    code: CODE.done,
  },
];

const teachCases: Omit<OpCase, 'op'>[] = [
  {
    what: 'a binding to who knows none, as it is',
    item: (now) => ({ ...held(now), instance: nodeB }),
    code: CODE.done,
    after: (_, then) => ({ ...comparable(then), instance: nodeB, version: 1 }),
  },
  {
    what: 'a higher generation',
    before: held,
    item: (now) => ({ ...held(now), client: 4, generation: 6, holdUntil: now + 9 }),
    code: CODE.done,
    after: (_, then) => ({ generation: 6, holdUntil: then + 9 }),
  },
  {
    what: 'a later hold',
    before: held,
    item: (now) => ({ ...held(now), holdUntil: now + 51 }),
    code: CODE.done,
  },
  { what: 'the same', before: held, item: held, code: CODE.stale },
  {
    what: 'a later hold of another',
    before: held,
    item: (now) => ({ ...held(now), client: 4, holdUntil: now + 99 }),
    code: CODE.stale,
  },
  {
    what: 'a lower generation',
    before: held,
    item: (now) => ({ ...held(now), generation: 4, holdUntil: now + 99 }),
    code: CODE.stale,
  },
  {
    what: 'a short reserve',
    item: (now) => ({ ...longReserve(now), isLongReserve: false }),
    code: CODE.nothing,
  },
  { what: 'nothing', before: held, item: by(0), code: CODE.nothing },
];

function comparable(then: number): Partial<Lease> {
  return { state: bound, generation: 5, holdUntil: then + 50, toldUntil: then + 30 };
}

const rows: [Op, Omit<OpCase, 'op'>[]][] = [
  ['bind', bindCases],
  ['reserve', reserveCases],
  ['unreserve', unreserveCases],
  ['release', releaseCases],
  ['decline', declineCases],
  ['free', freeCases],
  ['teach', teachCases],
];

export const opCases: OpCase[] = rows.flatMap(([op, cases]) => {
  return cases.map((each) => ({ op, ...each }));
});
