// Help: of edgectl, of a family (`eip`), of one command; at most 25 lines, ends with an example.

import { type Command, type Flag, type Positional, UsageError } from './command.ts';
import { didYouMean } from './suggest.ts';

const VERBS_SHOWN = 4;
/** Commands that are one row of the overview. */
const PAIRS: readonly { names: readonly string[]; summary: string }[] = [
  {
    names: ['apply', 'diff'],
    summary: 'Makes the site as files say; shows what that would change.',
  },
  {
    names: ['get', 'delete'],
    summary: 'Prints stored objects, also as a site file; deletes them.',
  },
  { names: ['status', 'nodes'], summary: 'Services and instances: states, versions, drift.' },
  { names: ['drain', 'undrain'], summary: 'Takes all traffic off an instance, and gives it back.' },
  { names: ['completion', 'version'], summary: 'A completion script for the shell; versions.' },
];

function positionalText(positional: Positional): string {
  const text = positional.many ? `${positional.name}…` : positional.name;
  return positional.optional ? `[${text}]` : text;
}

export function usageLine(command: Command): string {
  const words = ['usage: edgectl', command.name, ...command.positionals.map(positionalText)];
  if (command.flags.length > 0) words.push('[flags]');
  return words.join(' ');
}

function flagText(flag: Flag): string {
  const name = flag.short ? `-${flag.short}, --${flag.name}` : `--${flag.name}`;
  if (flag.value === undefined) return name;
  return `${name} ${flag.choices?.join('|') ?? flag.value}${flag.many ? '…' : ''}`;
}

function aligned(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd());
}

export function commandHelp(command: Command): string[] {
  const lines = [usageLine(command), '', command.summary];
  if (command.notes) lines.push(...command.notes);
  if (command.flags.length > 0) {
    lines.push('', ...aligned(command.flags.map((flag) => [flagText(flag), flag.help])));
  }
  return [...lines, '', 'example:', `  ${command.example}`];
}

function synopsis(command: Command): readonly [string, string] {
  const words = [command.name, ...command.positionals.map(positionalText)];
  return [words.join(' '), command.summary];
}

export function familyHelp(prefix: string, family: readonly Command[]): string[] {
  const example = family[0]?.example ?? '';
  return [
    `usage: edgectl ${prefix} VERB …`,
    '',
    ...aligned(family.map(synopsis)),
    '',
    `Flags of a verb: edgectl ${prefix} VERB --help`,
    '',
    'example:',
    `  ${example}`,
  ];
}

/** Families and pairs are one line each, so that the page stays one screen. */
function overview(commands: readonly Command[], families: Record<string, string>): string[] {
  const rows: (readonly [string, string])[] = [];
  for (const command of commands) {
    const [first = '', ...more] = command.name.split(' ');
    const pair = PAIRS.find(({ names }) => names.includes(first));
    if (pair !== undefined) {
      if (pair.names[0] === first) rows.push([pair.names.join('|'), pair.summary]);
    } else if (more.length === 0) rows.push(synopsis(command));
    else if (!rows.some(([left]) => left.startsWith(`${first} `))) {
      const verbs = commands.filter((other) => other.name.startsWith(`${first} `));
      const words = [...new Set(verbs.map((other) => other.name.split(' ')[1]))];
      const shown = words.slice(0, VERBS_SHOWN).concat(words.length > VERBS_SHOWN ? '…' : []);
      rows.push([`${first} ${shown.join('|')}`, families[first] ?? '']);
    }
  }
  return [
    'usage: edgectl COMMAND … [--store URL] [--json]     edgectl COMMAND --help',
    '',
    ...aligned(rows),
    '',
    'example:',
    '  edgectl eip add 198.51.100.7 10.0.0.5 --in 100mbit --out 50mbit',
  ];
}

/** `words`: the command or family asked for; empty: everything. Throws UsageError. */
export function helpFor(
  words: readonly string[],
  commands: readonly Command[],
  families: Record<string, string>,
): string[] {
  if (words.length === 0) return overview(commands, families);
  const name = words.join(' ');
  const command = commands.find((candidate) => candidate.name === name);
  if (command !== undefined) return commandHelp(command);
  const family = commands.filter((candidate) => candidate.name.startsWith(`${name} `));
  if (family.length > 0) return familyHelp(name, family);
  const names = commands.map((candidate) => candidate.name);
  throw new UsageError(`no help for "${name}"${didYouMean(name, names)}`);
}
