// argv → command and arguments. Flags may stand anywhere after the command's name; `--` ends them.

import { type Arguments, type Command, type Flag, type Positional, UsageError } from './command.ts';
import { didYouMean } from './suggest.ts';

export type Parsed =
  | { kind: 'run'; command: Command; args: Arguments }
  /** `words`: what the help is asked for; empty: all. */
  | { kind: 'help'; words: string[] };

/** Throws UsageError. `everywhere`: flags that may also stand before the command. */
export function parseArguments(
  argv: readonly string[],
  commands: readonly Command[],
  everywhere: readonly Flag[],
): Parsed {
  const { front, rest } = splitFront(argv, everywhere);
  if (rest[0] === 'help') return { kind: 'help', words: rest.slice(1) };
  if (rest[0] === '--help' || rest[0] === '-h') return { kind: 'help', words: [] };
  if (rest.length === 0) throw new UsageError('a command is missing');
  if (rest[0] === '--version') rest[0] = 'version';
  const family = familyAskedAbout(rest, commands);
  if (family !== undefined) return { kind: 'help', words: family };
  const { command, used } = findCommand(rest, commands);
  const after = rest.slice(used);
  if (asksHelp(after, command)) return { kind: 'help', words: command.name.split(' ') };
  return { kind: 'run', command, args: readArguments(command, [...front, ...after]) };
}

/** `eip --help`: the words before it, when they begin the names of commands but are none. */
function familyAskedAbout(words: readonly string[], commands: readonly Command[]) {
  const at = words.findIndex((word) => word === '--help' || word === '-h');
  const family = words.slice(0, Math.max(at, 0));
  const isFamily = commands.some(({ name }) => name.startsWith(`${family.join(' ')} `));
  return family.length > 0 && isFamily ? family : undefined;
}

/** Flags before the command's name, with their values. */
function splitFront(argv: readonly string[], everywhere: readonly Flag[]) {
  const front: string[] = [];
  let at = 0;
  for (; at < argv.length; at++) {
    const word = argv[at] ?? '';
    const flag = everywhere.find((known) => word.split('=')[0] === `--${known.name}`);
    if (flag === undefined) break;
    front.push(word);
    if (flag.value !== undefined && !word.includes('=')) front.push(...argv.slice(++at, at + 1));
  }
  return { front, rest: argv.slice(at) };
}

function asksHelp(words: readonly string[], command: Command): boolean {
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--') return false;
    if (word === '--help' || word === '-h') return true;
    if (word.startsWith('-') && flagOf(word, command)?.flag.value !== undefined) {
      if (!word.includes('=') && (word.startsWith('--') || word.length === 2)) at++;
    }
  }
  return false;
}

/** The command that the first words name. A family (`eip`) without a verb is an error. */
export function findCommand(words: readonly string[], commands: readonly Command[]) {
  const [first = '', second] = words;
  if (first.startsWith('-')) throw new UsageError(`unknown flag ${first}: the command comes first`);
  const family = commands.filter((command) => command.name.startsWith(`${first} `));
  if (family.length > 0) return findInFamily(words, first, family);
  const command = commands.find((candidate) => candidate.name === first);
  if (command !== undefined) return { command, used: 1 };
  const firsts = [...new Set(commands.map((candidate) => candidate.name.split(' ')[0] ?? ''))];
  const swapped = commands.find((candidate) => candidate.name === `${second} ${first}`);
  const hint = swapped ? ` (did you mean "${swapped.name}"?)` : didYouMean(first, firsts);
  throw new UsageError(`unknown command "${first}"${hint}`);
}

function findInFamily(words: readonly string[], first: string, family: readonly Command[]) {
  // The longest name wins: `limit group add` before `limit list`.
  const matches = family
    .map((command) => ({ command, used: command.name.split(' ').length }))
    .filter(({ command, used }) => words.slice(0, used).join(' ') === command.name)
    .sort((a, b) => b.used - a.used);
  if (matches[0] !== undefined) return matches[0];
  const inner = family.filter((command) => command.name.startsWith(`${first} ${words[1]} `));
  const depth = inner.length > 0 ? 2 : 1;
  const scope = inner.length > 0 ? inner : family;
  const prefix = words.slice(0, depth).join(' ');
  const verbs = [...new Set(scope.map((command) => command.name.split(' ')[depth] ?? ''))];
  const word = words[depth];
  if (word === undefined || word.startsWith('-')) {
    throw new UsageError(`edgectl ${prefix} needs a verb: ${verbs.join(', ')}`, prefix);
  }
  throw new UsageError(`unknown verb "${prefix} ${word}"${didYouMean(word, verbs)}`, prefix);
}

function flagOf(word: string, command: Command): { flag: Flag; inline?: string } | undefined {
  if (word.startsWith('--')) {
    const equals = word.indexOf('=');
    const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
    const flag = command.flags.find((known) => known.name === name);
    if (flag === undefined) return undefined;
    return equals < 0 ? { flag } : { flag, inline: word.slice(equals + 1) };
  }
  const flag = command.flags.find((known) => known.short === word[1]);
  if (flag === undefined) return undefined;
  if (word.length === 2) return { flag };
  return { flag, inline: word.slice(word[2] === '=' ? 3 : 2) };
}

function readArguments(command: Command, words: readonly string[]): Arguments {
  const positionals: string[] = [];
  const values = new Map<string, string>();
  const lists = new Map<string, string[]>();
  const switches = new Set<string>();
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--') {
      positionals.push(...words.slice(at + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      positionals.push(word);
      continue;
    }
    const { flag, inline } = knownFlag(word, command);
    if (flag.value === undefined) {
      if (inline !== undefined) fail(command, `--${flag.name} takes no value`);
      switches.add(flag.name);
      continue;
    }
    const value = inline ?? words[++at];
    if (value === undefined) fail(command, `--${flag.name} needs a value: ${flag.value}`);
    checkChoice(command, flag, value);
    if (flag.many) lists.set(flag.name, [...(lists.get(flag.name) ?? []), value]);
    else if (values.has(flag.name)) fail(command, `--${flag.name} is given twice`);
    else values.set(flag.name, value);
  }
  checkPositionals(command, positionals);
  return { positionals, values, lists, switches };
}

function knownFlag(word: string, command: Command) {
  const found = flagOf(word, command);
  if (found !== undefined) return found;
  const name = word.split('=')[0] ?? word;
  const known = command.flags.map((flag) => `--${flag.name}`);
  return fail(command, `unknown flag ${name}${didYouMean(name, known)}`);
}

function checkChoice(command: Command, flag: Flag, value: string): void {
  if (flag.choices === undefined || flag.choices.includes(value)) return;
  const hint = didYouMean(value, flag.choices);
  fail(command, `--${flag.name} is one of ${flag.choices.join(', ')}, not "${value}"${hint}`);
}

function checkPositionals(command: Command, given: readonly string[]): void {
  const wanted: readonly Positional[] = command.positionals;
  const missing = wanted.find((positional, at) => !positional.optional && given[at] === undefined);
  if (missing !== undefined) fail(command, `${missing.name} is missing`);
  if (given.length > wanted.length && !wanted.at(-1)?.many) {
    fail(command, `unexpected argument "${given[wanted.length]}"`);
  }
}

function fail(command: Command, message: string): never {
  throw new UsageError(message, command.name);
}
