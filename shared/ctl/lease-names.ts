// `lease names [ZONE]`: the names of leases, as dhcpd keeps them for dns.

import { parseIpv4 } from '../net/ipv4.ts';
import type { Run } from './command.ts';
import type { Control } from './context.ts';
import { fieldsOf, listOf, numberOf } from './control.ts';
import { EXIT } from './exit.ts';
import { dhcpd, type Fields, formatTime, optional } from './lease.ts';
import { writeList } from './list.ts';
import type { Column } from './table.ts';

/** `now`: s, by Redis' clock. */
type Row = { name: string; zone: string; fields: Fields; now: number };

const COLUMNS: readonly Column<Row>[] = [
  { title: 'NAME', value: ({ name, zone }) => `${name}.${zone}` },
  { title: 'ADDRESS', value: ({ fields }) => optional(fields, 'address') },
  { title: 'ENDS', value: ({ fields, now }) => formatTime(numberOf(fields, 'until'), now) },
  { title: 'RESERVED', value: ({ fields }) => (fields.reserved === true ? 'yes' : undefined) },
];

export const names: Run = async (context, args) => {
  const control = dhcpd(context, args);
  const [given] = args.positionals;
  const zones = given === undefined ? await zonesOf(control) : [given.toLowerCase()];
  const rows: Row[] = [];
  for (const zone of zones) rows.push(...(await namesIn(control, zone)));
  const json = ({ zone, fields }: Row) => ({ zone, ...fields });
  await writeList(context, args, { columns: COLUMNS, rows, json });
  return EXIT.ok;
};

async function zonesOf(control: Control): Promise<string[]> {
  const answer = fieldsOf(await control.get('/names'), 'names');
  return listOf(answer, 'zones').map(String);
}

/** By address: pages come in no order, and a name in more than one of them. */
async function namesIn(control: Control, zone: string): Promise<Row[]> {
  const found = new Map<string, Row>();
  let after: string | undefined;
  do {
    const query = new URLSearchParams({ zone, ...(after === undefined ? {} : { after }) });
    const answer = fieldsOf(await control.get(`/names?${query}`), 'names');
    const now = numberOf(answer, 'now');
    for (const one of listOf(answer, 'names')) {
      const fields = fieldsOf(one, 'names');
      const name = optional(fields, 'name') ?? '';
      found.set(name, { name, zone, fields, now });
    }
    after = optional(answer, 'next');
  } while (after !== undefined);
  return [...found.values()].sort((a, b) => place(a) - place(b) || (a.name < b.name ? -1 : 1));
}

function place({ fields }: Row): number {
  return parseIpv4(optional(fields, 'address') ?? '') ?? 0;
}
