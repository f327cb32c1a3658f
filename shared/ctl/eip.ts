// `eip add|del|list`.

import { formatIpv4, type Ipv4 } from '../net/ipv4.ts';
import { type Eip, formatEip } from '../site/eip.ts';
import { parseObject } from '../site/kinds.ts';
import { isRefusal } from '../site/refusal.ts';
import { parseHost } from '../site/value.ts';
import type { Change, ObjectRecord } from '../store/types.ts';
import { changeSite, conflict, type Edit, notThere } from './change.ts';
import { type Arguments, type Run, UsageError } from './command.ts';
import { describeNamed, differenceText } from './describe.ts';
import { readLimits } from './limit-flags.ts';
import { listCode, readListing, writeList } from './list.ts';
import { keyOf, type SiteState } from './state.ts';
import { EIP_COLUMNS, eipJson, eipRows } from './views.ts';

/** Throws UsageError. */
export function addressOf(text: string | undefined, what: string): Ipv4 {
  const address = parseHost(text ?? '');
  if (address === undefined) throw new UsageError(`${what} "${text}" is not the address of a host`);
  return address;
}

function wanted(args: Arguments): Eip {
  const [address, inside] = args.positionals;
  const eip: Eip = { address: addressOf(address, 'ADDRESS'), ...readLimits(args) };
  if (inside !== undefined) eip.private = addressOf(inside, 'PRIVATE');
  const group = args.values.get('group');
  if (group !== undefined) eip.group = group;
  return eip;
}

/** Adds a record; the same one again is no change, another one needs --replace. */
export function addRecord(state: SiteState, args: Arguments, record: ObjectRecord): Edit {
  const before = state.records.get(keyOf(record.kind, record.id))?.value;
  const { kind, id, value } = record;
  if (before === value) return { changes: [record], lines: [`${kind} ${id} unchanged`] };
  if (before !== undefined && !args.switches.has('replace')) {
    const text = differenceText({ kind, id, before, after: value });
    throw conflict(`it is there and differs: ${text}`, 'to overwrite it, repeat with --replace');
  }
  const parsed = parseObject(record);
  if (isRefusal(parsed)) throw new UsageError(parsed.reasons.join('; '));
  return { changes: [record] };
}

export const add: Run = (context, args) => {
  const record = formatEip(wanted(args));
  return changeSite(context, args, (state) => addRecord(state, args, record), describeNamed);
};

/** The ids of the forwards of an EIP. */
function forwardsOf(state: SiteState, address: string): string[] {
  return [...state.records.values()]
    .filter(({ kind, id }) => kind === 'forward' && id.startsWith(`${address}:`))
    .map(({ id }) => id);
}

const FORWARDS_NAMED = 3;

function removal(state: SiteState, ids: readonly string[], withForwards: boolean): Edit {
  const changes: Change[] = [];
  const lines: string[] = [];
  for (const id of ids) {
    if (!state.has('eip', id)) lines.push(`eip ${id} was not there`);
    const forwards = forwardsOf(state, id);
    if (forwards.length > 0 && !withForwards) {
      const more = forwards.length > FORWARDS_NAMED ? ', …' : '';
      const named = forwards.slice(0, FORWARDS_NAMED).join(', ') + more;
      const count = `${forwards.length} port forward${forwards.length === 1 ? '' : 's'}`;
      throw conflict(`eip ${id} has ${count}: ${named}`, '--forwards deletes them too');
    }
    for (const forward of forwards) changes.push({ kind: 'forward', id: forward, value: null });
    changes.push({ kind: 'eip', id, value: null });
  }
  return { changes, lines };
}

export const del: Run = (context, args) => {
  const ids = args.positionals.map((text) => formatIpv4(addressOf(text, 'ADDRESS')));
  const withForwards = args.switches.has('forwards');
  return changeSite(context, args, (state) => removal(state, ids, withForwards), describeNamed);
};

export const list: Run = async (context, args) => {
  const all = await readListing(context, args);
  const rows = eipRows(all.eip, all.forward);
  await writeList(context, args, { columns: EIP_COLUMNS, rows, json: eipJson });
  return listCode(all);
};

/** The stored EIP; throws when it is not there. */
export function storedEip(state: SiteState, id: string): Eip {
  const eip = state.find('eip', id);
  if (eip === undefined) throw notThere('eip', id, `add it: edgectl eip add ${id}`);
  return eip;
}
