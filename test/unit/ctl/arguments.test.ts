import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../../shared/ctl/arguments.ts';
import { UsageError } from '../../../shared/ctl/command.ts';
import { COMMANDS } from '../../../shared/ctl/commands.ts';
import { EVERYWHERE } from '../../../shared/ctl/flags.ts';

function parse(text: string) {
  const argv = text === '' ? [] : text.split(' ');
  const parsed = parseArguments(argv, COMMANDS, EVERYWHERE);
  if (parsed.kind === 'help') return `help: ${parsed.words.join(' ')}`;
  const { positionals, values, lists, switches } = parsed.args;
  return {
    name: parsed.command.name,
    positionals,
    flags: { ...Object.fromEntries(values), ...Object.fromEntries(lists) },
    switches: [...switches],
  };
}

function refused(text: string): string {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

describe('command lines that are right', () => {
  it.each([
    ['status', { name: 'status', positionals: [], flags: {}, switches: [] }],
    [
      'eip add 198.51.100.7 10.0.0.5 --in 100mbit --out=50mbit',
      {
        name: 'eip add',
        positionals: ['198.51.100.7', '10.0.0.5'],
        flags: { in: '100mbit', out: '50mbit' },
        switches: [],
      },
    ],
    [
      'eip add --in 1mbit 198.51.100.7',
      { name: 'eip add', positionals: ['198.51.100.7'], flags: { in: '1mbit' }, switches: [] },
    ],
    [
      'apply -f a.yaml -fb.yaml --file=- --prune',
      {
        name: 'apply',
        positionals: [],
        flags: { file: ['a.yaml', 'b.yaml', '-'] },
        switches: ['prune'],
      },
    ],
    [
      '--store unix:/s.sock --json eip list',
      {
        name: 'eip list',
        positionals: [],
        flags: { store: 'unix:/s.sock' },
        switches: ['json'],
      },
    ],
    [
      'limit group add gold --in 1gbit',
      { name: 'limit group add', positionals: ['gold'], flags: { in: '1gbit' }, switches: [] },
    ],
    ['get -o yaml', { name: 'get', positionals: [], flags: { output: 'yaml' }, switches: [] }],
    ['delete eip -- -x', { name: 'delete', positionals: ['eip', '-x'], flags: {}, switches: [] }],
    ['--version', { name: 'version', positionals: [], flags: {}, switches: [] }],
  ])('%s', (text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it.each([
    ['--help', 'help: '],
    ['help', 'help: '],
    ['help eip add', 'help: eip add'],
    ['eip add --help', 'help: eip add'],
    ['eip add 198.51.100.7 -h', 'help: eip add'],
  ])('%s asks for help', (text, expected) => {
    expect(parse(text)).toBe(expected);
  });

  it('takes --help as a value where a value belongs', () => {
    expect(parse('eip add 198.51.100.7 --group --help')).toMatchObject({
      flags: { group: '--help' },
    });
  });
});

describe('command lines that are wrong', () => {
  it.each([
    ['', 'a command is missing'],
    ['stauts', 'unknown command "stauts" (did you mean "status"?)'],
    ['xyzzy', 'unknown command "xyzzy"'],
    ['add eip', 'unknown command "add" (did you mean "eip add"?)'],
    ['eip', 'edgectl eip needs a verb: add, del, list, stats'],
    ['eip lsit', 'unknown verb "eip lsit" (did you mean "list"?)'],
    ['limit group', 'edgectl limit group needs a verb: add, del'],
    ['limit group remove', 'unknown verb "limit group remove"'],
    ['eip add', 'ADDRESS is missing'],
    ['eip add a b c', 'unexpected argument "c"'],
    ['eip add a --gruop x', 'unknown flag --gruop (did you mean "--group"?)'],
    ['eip add a --in', '--in needs a value: RATE'],
    ['eip add a --in 1mbit --in 2mbit', '--in is given twice'],
    ['status --json=yes', '--json takes no value'],
    ['get -o yml', '--output is one of table, yaml, json, not "yml" (did you mean "yaml"?)'],
    ['--prune apply', 'unknown flag --prune: the command comes first'],
    ['help eip ad', 'no help'],
  ])('%s', (text, expected) => {
    if (text.startsWith('help')) expect(parse(text)).toBe('help: eip ad');
    else expect(refused(text)).toBe(expected);
  });
});
