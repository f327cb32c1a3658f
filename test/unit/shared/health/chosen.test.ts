import fc from 'fast-check';
import { expect, test } from 'vitest';
import { choose, PROBERS, rank, rankingOf } from '../../../../shared/health/chosen.ts';

const someNodes = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 9 });
const someId = fc.stringMatching(/^[0-9a-f]{16}$/);

test('a rank has every node once, whatever order they came in', () => {
  const property = fc.property(someNodes, someId, (nodes, id) => {
    const ranked = rank(rankingOf(nodes), id);
    expect(ranked.toSorted()).toEqual(nodes.toSorted());
    expect(rank(rankingOf(nodes.toReversed()), id)).toEqual(ranked);
  });
  fc.assert(property);
});

test('a node that goes leaves the order of the others as it was', () => {
  const property = fc.property(someNodes, someId, fc.nat(), (nodes, id, at) => {
    const gone = nodes[at % nodes.length];
    const left = nodes.filter((node) => node !== gone);
    const before = rank(rankingOf(nodes), id).filter((node) => node !== gone);
    expect(rank(rankingOf(left), id)).toEqual(before);
  });
  fc.assert(property);
});

test('targets are spread over the probers', () => {
  const ranking = rankingOf(['dns-1', 'dns-2', 'dns-3', 'dns-4', 'dns-5', 'dns-6']);
  const counts = new Map<string, number>();
  for (let at = 0; at < 6000; at++) {
    const { counted } = choose(rank(ranking, `${at}`), () => false);
    for (const node of counted) counts.set(node, (counts.get(node) ?? 0) + 1);
  }
  for (const [node, count] of counts) {
    expect(count, node).toBeGreaterThan(2700);
    expect(count, node).toBeLessThan(3300);
  }
  expect(counts.size).toBe(6);
});

test.each([
  { ranked: [], passed: [], counted: [], probing: [] },
  { ranked: ['a'], passed: [], counted: ['a'], probing: ['a'] },
  { ranked: ['a', 'b'], passed: [], counted: ['a', 'b'], probing: ['a', 'b'] },
  {
    ranked: ['a', 'b', 'c', 'd', 'e'],
    passed: [],
    counted: ['a', 'b', 'c'],
    probing: ['a', 'b', 'c'],
  },
  {
    ranked: ['a', 'b', 'c', 'd', 'e'],
    passed: ['a', 'c'],
    counted: ['b', 'd', 'e'],
    probing: ['a', 'b', 'c', 'd', 'e'],
  },
  { ranked: ['a', 'b'], passed: ['a', 'b'], counted: [], probing: ['a', 'b'] },
])('of $ranked without $passed, $counted count', ({ ranked, passed, counted, probing }) => {
  const isPassedOver = (node: string) => passed.some((each) => each === node);
  expect(choose(ranked, isPassedOver)).toEqual({ counted, probing });
});

test('no more than three count', () => expect(PROBERS).toBe(3));
