// A server's INFO, as its lines say it.
import { expect, test } from 'vitest';
import { parseInfo } from '../../../../shared/store/inspect.ts';

test('is read field by field', () => {
  const text = '# Server\r\nredis_version:7.0.15\r\n\r\nslave0:ip=10.0.0.3,state=online\nempty:\n';
  expect([...parseInfo(text)]).toEqual([
    ['redis_version', '7.0.15'],
    ['slave0', 'ip=10.0.0.3,state=online'],
    ['empty', ''],
  ]);
});
