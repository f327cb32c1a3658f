import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyName, siteOf, textOf, types } from '../../../support/dns/random-zones.ts';
import { type PlainRecord, referenceAnswer } from '../../../support/dns/reference.ts';
import { ask, imageOf, lineOf, resolveOf } from '../../../support/dns/resolve-rig.ts';

// A1 to A6, A8, A9: random zones with wildcards, empty non-terminals, cuts, CNAMEs and DNAMEs, some
// of them below others, against the reference.

const linesOf = (records: readonly PlainRecord[]): string[] =>
  records.map(({ owner, ttl, type, data }) => `${owner} ${ttl} ${type} ${data}`).toSorted();

describe('A1 to A6, A8, A9: the answer is the reference’s', () => {
  const questions = fc.array(
    fc.tuple(
      fc.oneof({ weight: 30, arbitrary: anyName }, { weight: 1, arbitrary: fc.constant('else.') }),
      fc.constantFrom(...types, 'ANY', 'DS', 'SOA'),
    ),
    { minLength: 1, maxLength: 12 },
  );

  test('for random zones and questions', () => {
    fc.assert(
      fc.property(siteOf, questions, (zones, asked) => {
        const resolve = resolveOf(zones.map((zone) => imageOf(zone.origin, textOf(zone))));
        for (const [name, type] of asked) {
          const heard = ask(resolve, name, type);
          const expected = referenceAnswer(zones, name, type);
          const told = {
            rcode: heard.rcode,
            aa: heard.aa,
            answer: heard.message.answers.map(lineOf).toSorted(),
            authority: heard.message.authorities.map(lineOf).toSorted(),
            additional: heard.message.additionals.map(lineOf).toSorted(),
          };
          expect(told, `${name} ${type}`).toEqual({
            rcode: expected.rcode,
            aa: expected.aa,
            answer: linesOf(expected.answer),
            authority: linesOf(expected.authority),
            additional: linesOf(expected.additional),
          });
        }
      }),
      { numRuns: 500 },
    );
  });
});
