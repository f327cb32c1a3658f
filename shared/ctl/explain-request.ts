// `explain [METHOD] URL`: one of the lb's workers says what it would do with such a request.

import { parseAddress } from '../site/peer.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import { controlOf, fieldsOf, listOf, textOf } from './control.ts';
import { EXIT } from './exit.ts';
import { count } from './lb.ts';
import { type Fields, optional } from './lease.ts';
import type { Output } from './output.ts';
import { type Column, writeTable } from './table.ts';

const USUAL_FROM = '127.0.0.1';

type Question = { method: string; url: string; from: string; headers: [string, string][] };

/** A URL of whatever scheme, alone or after a method. */
export function isRequest(words: readonly string[]): boolean {
  return words.slice(0, 2).some((word) => /^[a-z][a-z0-9+.-]*:\/\//i.test(word));
}

export const explainRequest: Run = async (context, args) => {
  const asked = questionOf(args);
  const control = controlOf(context, args, 'lb');
  const answer = fieldsOf(await control.post('/explain', asked), 'explain');
  const { out } = context;
  if (args.switches.has('json')) {
    await out.line(JSON.stringify(answer, null, 2));
    return EXIT.ok;
  }
  await out.line(`${asked.method} ${asked.url}, asked by ${asked.from}`);
  const steps = listOf(answer, 'steps').map((one) => fieldsOf(one, 'steps'));
  for (const each of steps) await out.line(`  ${stepText(each)}`);
  const targets = listOf(answer, 'targets').map((one) => fieldsOf(one, 'targets'));
  if (targets.length > 0) await writeTable(out, COLUMNS, targets);
  await out.line(verdictText(out, answer, { steps, targets }));
  return EXIT.ok;
};

function stepText(fields: Fields): string {
  return `${textOf(fields, 'step')}: ${textOf(fields, 'result')}`;
}

const COLUMNS: readonly Column<Fields>[] = [
  { title: 'TARGET', value: (row) => optional(row, 'id') },
  { title: 'HEALTH', value: (row) => optional(row, 'health') },
  count('WEIGHT', 'weight'),
  count('OPEN', 'open'),
  {
    title: 'SKIPPED',
    value: (row) => optional(row, 'skipped'),
    colour: (row) => (optional(row, 'skipped') === undefined ? undefined : 'yellow'),
  },
];

/** The last line: who gets it, or with what it ends before anybody does. */
function verdictText(
  out: Output,
  answer: Fields,
  { steps, targets }: { steps: readonly Fields[]; targets: readonly Fields[] },
): string {
  const free = targets.filter((row) => optional(row, 'skipped') === undefined);
  const only = free.length === 1 ? optional(free[0] ?? {}, 'id') : undefined;
  const pick = optional(answer, 'pick') ?? only;
  if (pick !== undefined) return `${out.paint('green', 'sent')}: to ${pick}`;
  if (free.length > 0) {
    return `${out.paint('green', 'sent')}: to one of the ${free.length} that are not skipped`;
  }
  const last = steps.at(-1);
  const isAction = last !== undefined && textOf(last, 'step') === 'action';
  const word = isAction ? out.paint('green', 'answered') : out.paint('red', 'refused');
  return last === undefined ? word : `${word}: ${textOf(last, 'result')}`;
}

/** Throws UsageError. */
function questionOf({ positionals, values, lists }: Arguments): Question {
  const [methodText = 'GET', url = '', ...more] =
    positionals.length === 1 ? ['GET', ...positionals] : positionals;
  if (more.length > 0) throw new UsageError('one METHOD and one URL at a time');
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(methodText)) {
    throw new UsageError(`"${methodText}" is no method such as GET`);
  }
  if (!URL.canParse(url) || !/^https?:/i.test(url)) {
    throw new UsageError(`"${url}" is no URL of http or https`);
  }
  const fromText = values.get('from') ?? USUAL_FROM;
  const from = parseAddress(fromText);
  if (from === undefined) throw new UsageError(`--from "${fromText}" is no address`);
  const headers = (lists.get('header') ?? []).map(headerOf);
  return { method: methodText.toUpperCase(), url, from, headers };
}

function headerOf(text: string): [string, string] {
  const [, name, value] = /^([^\s:]+):\s*(.*?)\s*$/.exec(text) ?? [];
  if (name !== undefined && value !== undefined) return [name, value];
  throw new UsageError(`--header is like 'Name: value', not "${text}"`);
}
