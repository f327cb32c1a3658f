// `delete KIND ID…` and `delete -f FILE…`.

import { zoneOf } from '../site/dns-name.ts';
import { idFrom, isIdOf } from '../site/ids.ts';
import type { Kind } from '../site/kinds.ts';
import type { Change } from '../store/types.ts';
import { changeSite, conflict, unitsOfChanges } from './change.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import type { Context } from './context.ts';
import { describeMany, describeNamed } from './describe.ts';
import { kindOf } from './get.ts';
import { someNames } from './names.ts';
import type { SiteState } from './state.ts';

/** An id that no object of the kind can have is a slip of the pen; what is malformed may go. */
function checkId(kind: Kind, id: string): void {
  if (isIdOf(kind, id)) return;
  const form = kind === 'record' ? ': write NAME/TYPE, such as www.example.com/A' : '';
  throw new UsageError(`no ${kind} can have the id "${id}"${form}`);
}

/** The records that are of these zones, and of no zone below them that stays. */
function recordsToo(state: SiteState, zones: readonly string[], args: Arguments): Change[] {
  const all = new Set<string>();
  const records: { name: string; id: string }[] = [];
  for (const { kind, id } of state.records.values()) {
    if (kind === 'zone') all.add(id);
    const record = kind === 'record' ? state.find('record', id) : undefined;
    if (record !== undefined) records.push({ name: record.name, id });
  }
  const own = records.filter(({ name }) => zones.includes(zoneOf(name, all) ?? ''));
  if (own.length > 0 && !args.switches.has('with-records')) {
    const names = someNames(own.map(({ id }) => id));
    const count = `${own.length} record${own.length === 1 ? '' : 's'}`;
    throw conflict(`zone ${zones.join(', ')} has ${count}: ${names}`, '--with-records: them, too');
  }
  return own.map(({ id }) => ({ kind: 'record', id, value: null }));
}

function deleteNamed(context: Context, args: Arguments): Promise<number> {
  const [kindText = '', ...texts] = args.positionals;
  const kind = kindOf(kindText);
  if (texts.length === 0) throw new UsageError(`which ${kind}? Name it, or several`);
  return changeSite(
    context,
    args,
    (state) => {
      const ids = texts.map((text) => (state.has(kind, text) ? text : idFrom(kind, text)));
      const missing = ids.filter((id) => !state.has(kind, id));
      for (const id of missing) checkId(kind, id);
      const records = kind === 'zone' ? recordsToo(state, ids, args) : [];
      return {
        changes: [...records, ...ids.map((id) => ({ kind, id, value: null }))],
        lines: missing.map((id) => `${kind} ${id} was not there`),
      };
    },
    describeNamed,
    unitsOfChanges(texts.flatMap((text) => [text, idFrom(kind, text)].map((id) => ({ kind, id })))),
  );
}

export const deleteObjects: Run = async (context, args) => {
  if (!args.lists.has('file')) {
    if (args.positionals.length === 0) throw new UsageError('give KIND and ID, or -f FILE');
    return deleteNamed(context, args);
  }
  if (args.positionals.length > 0) throw new UsageError('give KIND and ID, or -f FILE, not both');
  const { readFiles } = await import('./files.ts'); // loads the YAML parser
  const files = await readFiles(context, args);
  return changeSite(
    context,
    args,
    () => ({
      changes: files.objects.map(({ record: { kind, id } }) => ({ kind, id, value: null })),
      files,
    }),
    describeMany,
    unitsOfChanges(files.objects.map(({ record }) => record)),
  );
};
