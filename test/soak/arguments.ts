// The command line of a soak. Pure: words in; options, or what is wrong with them, out.
import { parseArgs } from 'node:util';
import { CATALOGUE } from './catalogue.ts';

const names = (from: number, to?: number): string =>
  CATALOGUE.slice(from, to)
    .map(({ name }) => name)
    .join(', ');

export const USAGE = `usage: npm run soak -- [natter|dhcpd] [options]

  (nothing)      a whole site under load, with faults; a report in HTML, Markdown and JSON
  natter         a site of natters alone
  dhcpd          the simulation of a cluster of dhcpds
  --minutes N    how long (default 10)
  --seed N       which faults, when and whom (default: drawn, and printed)
  --faults LIST  all (default), none, overlap (all, more than one at a time), or names:
                 ${names(0, 7)},
                 ${names(7)}
  --out DIR      where the report goes (default: soak-SEED in the current directory)

exit code 0: every invariant held; 1: one was broken; 2: usage; 130: interrupted

example: npm run soak -- --minutes 60 --seed 7`;

export type Arguments = {
  what: 'site' | 'natter' | 'dhcpd';
  minutes: number;
  seed: number;
  faults: readonly string[];
  isOverlapping: boolean;
  out: string;
};

const ALL = CATALOGUE.map(({ name }) => name);

function faultsOf(text: string): string[] {
  if (text === 'none') return [];
  return text === 'all' || text === 'overlap' ? ALL : text.split(',');
}

export function parse(words: readonly string[], drawn: number): Arguments | 'help' | string[] {
  let parsed: ReturnType<typeof read>;
  try {
    parsed = read(words);
  } catch (error) {
    return [(error as Error).message];
  }
  const { values, positionals } = parsed;
  if (values.help) return 'help';
  const minutes = Number(values.minutes);
  const seed = values.seed === undefined ? drawn : Number(values.seed);
  const what = positionals.join(' ') || 'site';
  const faults = faultsOf(values.faults);
  const problems = faults
    .filter((name) => !ALL.includes(name))
    .map((name) => `--faults: there is no fault ${name}`);
  if (what !== 'site' && what !== 'natter' && what !== 'dhcpd') {
    return [`there is no soak of ${what}`];
  }
  if (!(minutes > 0)) problems.push(`--minutes ${values.minutes}: not above 0`);
  if (!Number.isSafeInteger(seed)) problems.push(`--seed ${values.seed}: not a whole number`);
  if (problems.length > 0) return problems;
  const isOverlapping = values.faults === 'overlap';
  return { what, minutes, seed, faults, isOverlapping, out: values.out ?? `soak-${seed}` };
}

function read(words: readonly string[]) {
  return parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string' },
      faults: { type: 'string', default: 'all' },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
}
