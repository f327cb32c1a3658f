// Tables of a service as a page that is bounded whatever the service holds: `?limit=`, the worst
// first. Pure.

const MOST = 1000;

export type RowsPage<Row> = { total: number; rows: Row[] };

/**
 * The `limit` rows (1000 when not told, and at most) of the lowest rank; equal ones in their order.
 */
export function rowsPage<Row>(
  all: readonly Row[],
  query: URLSearchParams,
  rankOf: (row: Row) => number = () => 0,
): RowsPage<Row> {
  const asked = Number(query.get('limit') ?? MOST);
  const limit = Number.isInteger(asked) && asked >= 1 ? Math.min(asked, MOST) : MOST;
  const ranked = all.map((row) => ({ row, rank: rankOf(row) }));
  const rows = ranked.sort((a, b) => a.rank - b.rank).slice(0, limit);
  return { total: all.length, rows: rows.map(({ row }) => row) };
}
