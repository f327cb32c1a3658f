// `forward add|del|list`.

import { type Forward, formatForward, parseForwardFrom, parseForwardTo } from '../site/forward.ts';
import { changeSite } from './change.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import { describeNamed } from './describe.ts';
import { addRecord } from './eip.ts';
import { listCode, readListing, writeList } from './list.ts';
import { FORWARD_COLUMNS, forwardJson } from './views.ts';

function fromOf(text: string | undefined) {
  const from = parseForwardFrom(text ?? '');
  if (from !== undefined) return from;
  const form = '198.51.100.8:443/tcp or 198.51.100.8:8000-8099/udp';
  throw new UsageError(`FROM is like ${form}, not "${text}"`);
}

function wanted(args: Arguments): Forward {
  const [fromText, toText] = args.positionals;
  const from = fromOf(fromText);
  const to = parseForwardTo(toText ?? '');
  if (to === undefined) throw new UsageError(`TO is like 10.0.0.6:8443, not "${toText}"`);
  return { ...from, ...to };
}

export const add: Run = (context, args) => {
  const record = formatForward(wanted(args));
  return changeSite(context, args, (state) => addRecord(state, args, record), describeNamed);
};

export const del: Run = (context, args) => {
  for (const text of args.positionals) fromOf(text);
  return changeSite(
    context,
    args,
    (state) => ({
      changes: args.positionals.map((id) => ({ kind: 'forward', id, value: null })),
      lines: args.positionals
        .filter((id) => !state.has('forward', id))
        .map((id) => `forward ${id} was not there`),
    }),
    describeNamed,
  );
};

export const list: Run = async (context, args) => {
  const all = await readListing(context, args);
  await writeList(context, args, {
    columns: FORWARD_COLUMNS,
    rows: all.forward,
    json: forwardJson,
  });
  return listCode(all);
};
