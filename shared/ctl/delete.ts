// `delete KIND ID…` and `delete -f FILE…`.

import { idFrom, isIdOf } from '../site/ids.ts';
import type { Kind } from '../site/kinds.ts';
import { changeSite, unitsOfChanges } from './change.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import type { Context } from './context.ts';
import { describeMany, describeNamed } from './describe.ts';
import { kindOf } from './get.ts';

/** An id that no object of the kind can have is a slip of the pen; what is malformed may go. */
function checkId(kind: Kind, id: string): void {
  if (isIdOf(kind, id)) return;
  const form = kind === 'record' ? ': write NAME/TYPE, such as www.example.com/A' : '';
  throw new UsageError(`no ${kind} can have the id "${id}"${form}`);
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
      return {
        changes: ids.map((id) => ({ kind, id, value: null })),
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
