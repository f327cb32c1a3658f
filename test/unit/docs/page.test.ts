// How a page's commands and what they say are read, and what counts as the same.
import { expect, test } from 'vitest';
import { difference, stepsOf } from '../../support/docs/page.ts';

const PAGE = `# A page

\`\`\`sh
apt install something
\`\`\`

\`\`\`sh run
one
two
\`\`\`

\`\`\`text output
A   B
1   …
\`\`\`

<!-- run on=vm: background serve -->

\`\`\`sh run on=client exit=any
ask
\`\`\`
`;

test('commands are those that say so, in their order', () => {
  const usual = { anyExit: false, inBackground: false, output: [] };
  expect(stepsOf(PAGE)).toEqual([
    { ...usual, line: 7, on: 'host', script: 'one\ntwo', output: ['A   B', '1   …'] },
    { ...usual, line: 17, on: 'vm', script: 'serve', inBackground: true },
    { ...usual, line: 19, on: 'client', script: 'ask', anyExit: true },
  ]);
});

test.each<[shown: string[], said: string, isSame: boolean]>([
  [[], 'anything\n', true],
  [['a  b'], 'a b\n', true],
  [['a b'], 'a c\n', false],
  [['a b'], 'a b\nmore\n', false],
  [['a …'], 'a b c\n', true],
  [['a … c'], 'a b\n', false],
  [['…', 'b'], 'x\ny\nb\n', true],
  [['…', 'b'], 'b\n', true],
  [['a', '…'], 'a\n', true],
  [['a', '…', 'c'], 'a\nc\nb\n', false],
  [['1.2'], '1x2\n', false],
])('%j and %j', (shown, said, isSame) => {
  expect(difference(shown, said) === undefined).toBe(isSame);
});
