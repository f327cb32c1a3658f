import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Packing, packed } from '../../../../dns/transfer/packing.ts';
import { TsigSigner } from '../../../../dns/tsig/tsig.ts';
import { decodeMessage } from '../../../../shared/dns/message.ts';
import type { MessageRecord } from '../../../../shared/dns/types.ts';
import { nameOf } from '../../../support/dns/resolve-rig.ts';

const question = { name: nameOf('example.com'), type: 252, class: 1 };
const bare: Packing = {
  ...{ id: 5, flags: 0x8400, question, hasOpt: false, signer: undefined },
  nowSeconds: () => 1_700_000_000,
};
const recordOf = (bytes: number, owner = 'a.example.com'): MessageRecord => ({
  ...{ owner: nameOf(owner), type: 65_280, class: 1, ttlSeconds: 60 },
  rdata: new Uint8Array(bytes).fill(bytes & 255),
});
const sizes = (messages: readonly Uint8Array[]) =>
  messages.map((each) => decodeMessage(each).answers.map(({ rdata }) => rdata.length));
/** A record's own besides data where its name is one that was written before. */
const HEAD = 12;
/** Header and question, and the first record's `a` and pointer. */
const FIRST = 12 + 13 + 4 + 4 + 10;

describe('packing', () => {
  test.each<[string, readonly number[], readonly (readonly number[])[]]>([
    ['nothing', [], [[]]],
    ['one that fills a message', [0x4000 - FIRST, 1], [[0x4000 - FIRST], [1]]],
    ['one byte too many for it', [0x4001 - FIRST, 1], [[0x4001 - FIRST, 1]]],
    ['two that fill it', [100, 0x4000 - FIRST - 100 - HEAD], [[100, 0x4000 - FIRST - 100 - HEAD]]],
    ['two that do not', [100, 0x4001 - FIRST - 100 - HEAD], [[100], [0x4001 - FIRST - 100 - HEAD]]],
    ['a long one between others', [5, 60_000, 6, 7], [[5], [60_000, 6, 7]]],
    ['the longest', [0xffff - FIRST, 5], [[0xffff - FIRST], [5]]],
  ])('%s', (_, lengths, expected) => {
    const messages = [
      ...packed(
        bare,
        lengths.map((each) => recordOf(each)),
      ),
    ];
    expect(sizes(messages)).toEqual(expected);
  });

  test('a record that fits into none is an error', () => {
    expect(() => [...packed(bare, [recordOf(0xffff - FIRST + 1)])]).toThrow(RangeError);
  });

  const records = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 9000 }), fc.constantFrom('a', 'b.c', 'longer-name.x')),
    { maxLength: 60 },
  );

  test.each([false, true])('all records, in order, within the bound; with OPT: %s', (hasOpt) => {
    fc.assert(
      fc.property(records, fc.boolean(), (rows, isSigned) => {
        const all = rows.map(([bytes, owner]) => recordOf(bytes, `${owner}.example.com`));
        const key = {
          name: nameOf('k'),
          algorithm: 'hmac-sha512',
          secret: new Uint8Array(9),
        } as const;
        const signer = isSigned ? new TsigSigner(key) : undefined;
        const messages = [...packed({ ...bare, hasOpt, signer }, all)];
        const decoded = messages.map(decodeMessage);
        expect(decoded.flatMap(({ answers }) => answers)).toEqual(all);
        expect(messages.every(({ length }) => length <= 0x4000)).toBe(true);
        const extra = (isFirst: boolean) => (isFirst && hasOpt ? 1 : 0) + (isSigned ? 1 : 0);
        expect(decoded.map(({ additionals }) => additionals.length)).toEqual(
          decoded.map((_, index) => extra(index === 0)),
        );
      }),
      { numRuns: 15 },
    );
  });
});
