import { describe, expect, test } from 'vitest';
import { rowsPage } from '../../../../shared/admin/rows-page.ts';

describe('a page of rows', () => {
  const rows = Array.from({ length: 3000 }, (_, at) => ({ at, isBad: at % 1000 === 999 }));
  const page = (query: string) =>
    rowsPage(rows, new URLSearchParams(query), ({ isBad }) => (isBad ? 0 : 1));

  test('has the worst first, the others in their order', () => {
    const { total, rows: shown } = page('limit=5');
    expect(total).toBe(3000);
    expect(shown.map(({ at }) => at)).toEqual([999, 1999, 2999, 0, 1]);
  });

  test.each(['', 'limit=0', 'limit=-1', 'limit=x', 'limit=1e9', 'limit=1.5'])(
    'asked with "%s" it is bounded',
    (query) => expect(page(query).rows).toHaveLength(1000),
  );
});
