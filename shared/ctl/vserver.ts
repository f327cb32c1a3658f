// `vserver add|del|list`: virtual servers of L4.

import type { VirtualServer } from '../site/lb-objects.ts';
import { isName } from '../site/value.ts';
import {
  formatVserver,
  HASHES,
  LOST,
  MODES,
  parseVserverAt,
  VSERVER_USUAL,
} from '../site/vserver.ts';
import { changeSite } from './change.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import { describeNamed } from './describe.ts';
import { addRecord } from './eip.ts';
import { VSERVER_COLUMNS } from './lb-views.ts';
import { listCode, readListing, writeList } from './list.ts';

function atOf(text: string | undefined) {
  const at = parseVserverAt(text ?? '');
  if (at !== undefined) return at;
  const form = '198.51.100.10:80/tcp or 198.51.100.10:8000-8099/udp';
  throw new UsageError(`AT is like ${form}, not "${text}"`);
}

/** The parser has refused what is none of the words. */
function wordOf<T extends string>({ values }: Arguments, name: string, words: readonly T[]) {
  return words.find((word) => word === values.get(name));
}

function wanted(args: Arguments): VirtualServer {
  const [at, pool = ''] = args.positionals;
  if (!isName(pool)) throw new UsageError(`POOL "${pool}" is no name of a pool`);
  return {
    ...atOf(at),
    pool,
    mode: wordOf(args, 'mode', MODES) ?? VSERVER_USUAL.mode,
    hash: wordOf(args, 'hash', HASHES) ?? VSERVER_USUAL.hash,
    lost: wordOf(args, 'lost', LOST) ?? VSERVER_USUAL.lost,
  };
}

export const add: Run = async (context, args) => {
  const record = formatVserver(wanted(args));
  return changeSite(context, args, (state) => addRecord(state, args, record), describeNamed, [
    'lb',
  ]);
};

export const del: Run = async (context, args) => {
  for (const text of args.positionals) atOf(text);
  return changeSite(
    context,
    args,
    (state) => ({
      changes: args.positionals.map((id) => ({ kind: 'vserver', id, value: null })),
      lines: args.positionals
        .filter((id) => !state.has('vserver', id))
        .map((id) => `vserver ${id} was not there`),
    }),
    describeNamed,
    ['lb'],
  );
};

/** The stable fields of `vserver list --json`. */
function vserverJson({ address, protocol, port, lastPort, pool, mode, hash, lost }: VirtualServer) {
  return { address, protocol, port, lastPort, pool, mode, hash, lost };
}

export const list: Run = async (context, args) => {
  const all = await readListing(context, args, ['lb']);
  await writeList(context, args, {
    columns: VSERVER_COLUMNS,
    rows: all.vserver,
    json: vserverJson,
  });
  return listCode(all);
};
