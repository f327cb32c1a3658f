// GET /names: the names of leases, of every zone that the plan has or of one. It is for operators:
// dns reads Redis itself.
import type { Names } from '../ddns/names.ts';
import type { RedisNames } from '../ddns/records.ts';
import { badQuestion, fieldsOfQuery, limit, text } from './question.ts';

const MOST = 1000;

export type ShownNames = { names: Names; records: RedisNames };

/** Without `zone`: which there are. With: a page of names in no order, `next` to ask for more. */
export async function namesPage(shown: ShownNames, query: URLSearchParams): Promise<unknown> {
  const fields = fieldsOfQuery(query);
  const zone = text(fields, 'zone');
  const { zones } = shown.names;
  if (zone === undefined) return { zones };
  if (!zones.includes(zone)) throw badQuestion(`no subnet has ddns: { zone: ${zone} }`);
  const after = text(fields, 'after') ?? '0';
  if (!/^\d{1,20}$/.test(after)) throw badQuestion('after is no `next` of a page before');
  const { nowSeconds, rows, next } = await shown.records.page(zone, after, limit(fields, MOST));
  return { zone, now: nowSeconds, names: rows, ...(next === undefined ? {} : { next }) };
}
