import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { COMMANDS, FAMILIES } from '../../../shared/ctl/commands.ts';
import { bashCompletion, fishCompletion, zshCompletion } from '../../../shared/ctl/completion.ts';
import { helpFor } from '../../../shared/ctl/help.ts';
import { Harness } from './harness.ts';

const MAX_LINES = 25;
const MAX_COLUMNS = 100;

const pages = [[], ...Object.keys(FAMILIES).map((name) => [name]), ['limit', 'group']].concat(
  COMMANDS.map(({ name }) => name.split(' ')),
);

describe.each(pages)('help of "%s %s %s"', (...words) => {
  const lines = helpFor(words, COMMANDS, FAMILIES);

  it('fits a screen and ends with an example', () => {
    expect(lines.length).toBeLessThanOrEqual(MAX_LINES);
    expect(lines.filter((line) => line.length > MAX_COLUMNS)).toEqual([]);
    expect(lines.at(-2)).toBe('example:');
    expect(lines.at(-1)).toMatch(/^ {2}edgectl /);
  });
});

it.each([
  [['eip', '--help'], 'usage: edgectl eip VERB …'],
  [['eip', '-h'], 'usage: edgectl eip VERB …'],
  [['limit', 'group', '--help'], 'usage: edgectl limit group VERB …'],
  [['help', 'forward', 'add'], 'usage: edgectl forward add FROM TO'],
])('%j is answered', async (argv, expected) => {
  const { code, out, err } = await new Harness().run(...argv);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toContain(expected);
});

it('every family has its words', () => {
  const families = COMMANDS.map(({ name }) => name.split(' ')).filter(({ length }) => length > 1);
  expect(Object.keys(FAMILIES)).toEqual([...new Set(families.map(([first]) => first))]);
});

it('every command can be loaded', async () => {
  for (const command of COMMANDS) expect(await command.load(), command.name).toBeTypeOf('function');
});

it('goes to stdout when asked for, to stderr with exit 2 when the call is wrong', async () => {
  const harness = new Harness();
  const asked = await harness.run('eip', 'add', '--help');
  expect(asked).toMatchObject({ code: 0, err: '' });
  expect(asked.out).toContain('usage: edgectl eip add ADDRESS [PRIVATE] [flags]');
  const wrong = await harness.run('eip', 'add');
  expect(wrong).toEqual({
    code: 2,
    out: '',
    err: 'edgectl: ADDRESS is missing\nSee: edgectl eip add --help\n',
  });
});

describe('bash completion', () => {
  const script = bashCompletion(COMMANDS);
  const complete = (...words: string[]) => {
    const quoted = words.map((word) => `'${word}'`).join(' ');
    const tail = `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _edgectl`;
    const input = `${script}\n${tail}\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync('bash', { input, encoding: 'utf8' }).trim().split('\n');
  };

  it.each([
    [['edgectl', 'ei'], ['eip']],
    [
      ['edgectl', 'eip', ''],
      ['add', 'del', 'list', 'stats'],
    ],
    [['edgectl', 'limit', 'group', 'a'], ['add']],
    [['edgectl', 'get', 'f'], ['forward']],
    [['edgectl', 'get', 'vs'], ['vserver']],
    [['edgectl', 'lb', 'list', 'l'], ['listeners']],
    [
      ['edgectl', 'lb', ''],
      ['list', 'backends', 'impact', 'drain', 'undrain', 'weight'],
    ],
    [
      ['edgectl', 'explain', '--he'],
      ['--header', '--help'],
    ],
    [['edgectl', 'apply', '--pr'], ['--prune']],
    [['edgectl', 'get', '-o', 'y'], ['yaml']],
  ])('%j', (words, expected) => {
    expect(complete(...words)).toEqual(expected);
  });
});

// Neither shell is here to run them: what they know is compared with what bash knows.
describe.each([
  ['zsh', zshCompletion],
  ['fish', fishCompletion],
] as const)('%s completion', (_, make) => {
  const script = make(COMMANDS);

  it('has the words and flags of every command', () => {
    for (const { name, flags } of COMMANDS) {
      const last = name.split(' ').at(-1) ?? '';
      expect(script).toMatch(new RegExp(`[(' ]${last}[)' ]`));
      for (const flag of flags) expect(script).toMatch(new RegExp(`-(-|l )${flag.name}\\b`));
    }
  });
});
