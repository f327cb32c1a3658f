// `line list|of|report|unknown`: the lines of clients, as the dns on this host has compiled them.

import { parseAddress } from '../site/peer.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import type { Context } from './context.ts';
import { controlOf, fieldsOf, listOf, numberOf, textOf } from './control.ts';
import { EXIT } from './exit.ts';
import { type Fields, optional } from './lease.ts';
import { writeList } from './list.ts';
import type { Column } from './table.ts';

async function ask(context: Context, args: Arguments, path: string, what: string): Promise<Fields> {
  return fieldsOf(await controlOf(context, args, 'dns').get(path), what);
}

/** `covers`: of the report; undefined until lists were compiled. */
type Row = { line: Fields; covers: Fields | undefined };

const share = (title: string, name: string): Column<Row> => ({
  title,
  right: true,
  value: ({ covers }) => covers && `${(100 * numberOf(covers, name)).toFixed(1)}%`,
});

const COLUMNS: readonly Column<Row>[] = [
  { title: 'LINE', value: ({ line }) => optional(line, 'name') },
  {
    title: 'PREFIXES',
    right: true,
    value: ({ covers }) => covers && numberOf(covers, 'listed'),
  },
  share('IPV4', 'shareV4'),
  share('IPV6', 'shareV6'),
  { title: 'FALLBACK', value: ({ line }) => listOf(line, 'fallback').join(', ') },
];

function rowsOf(answer: Fields): Row[] {
  const { report } = answer;
  const covered = report === null ? [] : listOf(fieldsOf(report, 'lines'), 'lines');
  const byName = new Map(
    covered.map((one) => {
      const covers = fieldsOf(one, 'lines');
      return [textOf(covers, 'line'), covers] as const;
    }),
  );
  return listOf(answer, 'lines').map((one) => {
    const line = fieldsOf(one, 'lines');
    return { line, covers: byName.get(textOf(line, 'name')) };
  });
}

function rowJson({ line, covers }: Row) {
  const { line: _, ...counts } = covers ?? {};
  return { ...line, ...counts };
}

export const list: Run = async (context, args) => {
  const answer = await ask(context, args, '/lines', 'lines');
  await writeList(context, args, { columns: COLUMNS, rows: rowsOf(answer), json: rowJson });
  return tellTrouble(context, answer);
};

/** What keeps the lines from being as they are wanted, on stderr. */
async function tellTrouble({ err }: Context, answer: Fields): Promise<number> {
  const problems = listOf(answer, 'problems').map((one) => {
    const problem = fieldsOf(one, 'problems');
    const place = [problem.file, problem.line, problem.column].join(':');
    return `${place}: ${textOf(problem, 'message')}`;
  });
  const trouble = [...problems, ...listOf(answer, 'refused').map(String)];
  for (const text of trouble) await err.line(`edgectl: ${text}`);
  return trouble.length > 0 ? EXIT.failure : EXIT.ok;
}

export const report: Run = async (context, args) => {
  const answer = await ask(context, args, '/lines', 'lines');
  const { out } = context;
  if (args.switches.has('json')) await out.line(JSON.stringify(answer.report ?? null, null, 2));
  else for (const text of listOf(answer, 'text')) await out.line(String(text));
  return tellTrouble(context, answer);
};

const OF_COLUMNS: readonly Column<Fields>[] = [
  { title: 'ADDRESS', value: (row) => optional(row, 'address') },
  { title: 'LINE', value: (row) => optional(row, 'line') },
  { title: 'PREFIX', value: (row) => optional(row, 'prefix') },
];

export const of: Run = async (context, args) => {
  const addresses = args.positionals.map((text) => {
    const address = parseAddress(text);
    if (address === undefined) throw new UsageError(`"${text}" is no address`);
    return address;
  });
  const rows: Fields[] = [];
  for (const address of addresses) {
    rows.push(await ask(context, args, `/line?${new URLSearchParams({ address })}`, 'line'));
  }
  await writeList(context, args, { columns: OF_COLUMNS, rows, json: (row) => row });
  return EXIT.ok;
};

const UNKNOWN_COLUMNS: readonly Column<Fields>[] = [
  { title: 'CLIENTS', value: (row) => optional(row, 'prefix') },
  { title: 'ANSWERS', right: true, value: (row) => numberOf(row, 'count') },
  {
    title: 'AT LEAST',
    right: true,
    value: (row) => numberOf(row, 'count') - numberOf(row, 'error'),
  },
];

export const unknown: Run = async (context, args) => {
  const limit = args.values.get('limit') ?? '20';
  if (!/^[1-9]\d{0,5}$/.test(limit)) throw new UsageError(`--limit is a count, not "${limit}"`);
  const answer = await ask(context, args, '/unknown-clients', 'unknown-clients');
  const all = listOf(answer, 'clients').map((one) => fieldsOf(one, 'unknown-clients'));
  const rows = all.slice(0, Number(limit));
  await writeList(context, args, { columns: UNKNOWN_COLUMNS, rows, json: (row) => row });
  return EXIT.ok;
};
