import { describe, expect, test } from 'vitest';
import { differenceText } from '../../../shared/ctl/describe.ts';

const pool = (count: number, from = 1): string =>
  JSON.stringify({
    targets: Array.from({ length: count }, (_, at) => ({ address: `192.0.2.${from + at}` })),
  });
const text = (before: string | undefined, after: string | undefined): string =>
  differenceText({
    kind: 'pool',
    id: 'web',
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  });

describe('a long list in a line', () => {
  test('is its beginning, and how many more', () => {
    expect(text(undefined, pool(2))).toBe('pool web targets address=192.0.2.1,address=192.0.2.2');
    expect(text(undefined, pool(100))).toBe(
      'pool web targets address=192.0.2.1,address=192.0.2.2,address=192.0.2.3 and 97 more',
    );
  });

  test('that changed is what came and what went', () => {
    expect(text(pool(100), pool(101))).toBe('pool web targets +address=192.0.2.101');
    expect(text(pool(20), pool(20, 2))).toBe(
      'pool web targets +address=192.0.2.21 -address=192.0.2.1',
    );
    expect(text(pool(20), pool(3))).toBe(
      'pool web targets -address=192.0.2.4,address=192.0.2.5,address=192.0.2.6 and 14 more',
    );
    expect(text(pool(1), pool(2))).toBe(
      'pool web targets address=192.0.2.1 -> address=192.0.2.1,address=192.0.2.2',
    );
  });
});
