// `limit set|clear|join|leave|list` and `limit group add|del`.

import { formatIpv4 } from '../net/ipv4.ts';
import { type Eip, formatEip } from '../site/eip.ts';
import { formatGroup } from '../site/group.ts';
import { isName } from '../site/value.ts';
import type { ObjectRecord } from '../store/types.ts';
import { changeSite, conflict, type Edit, notThere } from './change.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import type { Context } from './context.ts';
import { describeNamed } from './describe.ts';
import { addRecord, addressOf, storedEip } from './eip.ts';
import { readLimitChanges, readLimits, withLimits } from './limit-flags.ts';
import { listCode, readListing, writeList } from './list.ts';
import { keyOf, type SiteState } from './state.ts';
import { GROUP_COLUMNS, groupJson, groupRows, LIMIT_COLUMNS, limitJson } from './views.ts';

const NAMES_SHOWN = 3;

/** Writes records over what is there; says which were so already. */
function overwrite(state: SiteState, records: readonly ObjectRecord[]): Edit {
  const same = records.filter(
    ({ kind, id, value }) => state.records.get(keyOf(kind, id))?.value === value,
  );
  const lines = same.map(({ kind, id }) => `${kind} ${id} unchanged`);
  return { changes: [...records], lines };
}

function changeEips(
  context: Context,
  args: Arguments,
  addresses: readonly string[],
  edit: (eip: Eip) => Eip,
): Promise<number> {
  const ids = addresses.map((text) => formatIpv4(addressOf(text, 'ADDRESS')));
  return changeSite(
    context,
    args,
    (state) =>
      overwrite(
        state,
        ids.map((id) => formatEip(edit(storedEip(state, id)))),
      ),
    describeNamed,
  );
}

export const set: Run = async (context, args) => {
  const changes = readLimitChanges(args);
  if (Object.keys(changes).length === 0) {
    throw new UsageError('nothing to set: give --in, --out or --burst');
  }
  return changeEips(context, args, args.positionals, (eip) => withLimits(eip, changes));
};

const NO_LIMITS = { inBitsPerSecond: null, outBitsPerSecond: null, burstBytes: null };

export const clear: Run = (context, args) =>
  changeEips(context, args, args.positionals, (eip) => withLimits(eip, NO_LIMITS));

export const groupAdd: Run = async (context, args) => {
  const [name = ''] = args.positionals;
  if (!isName(name)) {
    throw new UsageError(
      `NAME "${name}" is not 1 to 63 letters, digits, dots, dashes, underscores`,
    );
  }
  const record = formatGroup({ name, ...readLimits(args) });
  return changeSite(context, args, (state) => addRecord(state, args, record), describeNamed);
};

function membersOf(state: SiteState, name: string): string[] {
  const ids: string[] = [];
  for (const { kind, id } of state.records.values()) {
    if (kind === 'eip' && state.find('eip', id)?.group === name) ids.push(id);
  }
  return ids.sort();
}

export const groupDel: Run = (context, args) => {
  const names = args.positionals;
  const edit = (state: SiteState): Edit => {
    for (const name of names) {
      const members = membersOf(state, name);
      if (members.length === 0) continue;
      const more = members.length > NAMES_SHOWN ? ', …' : '';
      const shown = members.slice(0, NAMES_SHOWN).join(', ') + more;
      const count = `${members.length} EIP${members.length === 1 ? '' : 's'}`;
      throw conflict(
        `${count} in group ${name}: ${shown}`,
        'first take them out: edgectl limit leave ADDRESS…',
      );
    }
    return {
      changes: names.map((id) => ({ kind: 'group', id, value: null })),
      lines: names.filter((id) => !state.has('group', id)).map((id) => `group ${id} was not there`),
    };
  };
  return changeSite(context, args, edit, describeNamed);
};

export const join: Run = (context, args) => {
  const [name = '', ...addresses] = args.positionals;
  const ids = addresses.map((text) => formatIpv4(addressOf(text, 'ADDRESS')));
  const edit = (state: SiteState): Edit => {
    if (!state.has('group', name)) {
      throw notThere('group', name, `add it: edgectl limit group add ${name} --in RATE --out RATE`);
    }
    return overwrite(
      state,
      ids.map((id) => formatEip({ ...storedEip(state, id), group: name })),
    );
  };
  return changeSite(context, args, edit, describeNamed);
};

export const leave: Run = (context, args) =>
  changeEips(context, args, args.positionals, ({ group: _, ...eip }) => eip);

export const list: Run = async (context, args) => {
  const all = await readListing(context, args);
  const groups = groupRows(all.group, all.eip);
  const eips = all.eip.filter(
    (eip) =>
      eip.inBitsPerSecond !== undefined ||
      eip.outBitsPerSecond !== undefined ||
      eip.group !== undefined,
  );
  const eipJson = (eip: Eip) => ({
    address: formatIpv4(eip.address),
    ...limitJson(eip),
    group: eip.group ?? null,
  });
  if (args.switches.has('json')) {
    const value = { groups: groups.map(groupJson), eips: eips.map(eipJson) };
    await context.out.line(JSON.stringify(value, null, 2));
    return listCode(all);
  }
  await writeList(context, args, { columns: GROUP_COLUMNS, rows: groups, json: groupJson });
  await context.out.line('');
  const columns = [
    { title: 'ADDRESS', value: (row: Eip) => formatIpv4(row.address) },
    ...LIMIT_COLUMNS,
    { title: 'GROUP', value: (row: Eip) => row.group },
  ];
  await writeList(context, args, { columns, rows: eips, json: eipJson });
  return listCode(all);
};
