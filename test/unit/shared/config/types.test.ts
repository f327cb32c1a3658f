import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import * as types from '../../../../shared/config/types.ts';

describe('the words of every configuration', () => {
  test.each([
    ['ipv4Address', types.ipv4Address, '192.0.2.1', '192.0.2.01'],
    ['ipv6Address', types.ipv6Address, '2001:db8::1', '2001:db8::1::'],
    ['macAddress', types.macAddress, '02:00:00:00:00:01', '02-00-00-00-00-01'],
    ['prefix', types.prefix, '192.0.2.0/24', '192.0.2.1/24'],
    ['rate', types.rate, '100mbit', '100mb'],
    ['size', types.size, '64kb', '64kbit'],
    ['duration', types.duration, '30s', '30'],
    ['portRange', types.portRange, '8000-8099', '8099-8000'],
    ['endpoint', types.endpoint, '127.0.0.1:9100', '127.0.0.1'],
    ['absolutePath', types.absolutePath, '/run/a', 'run/a'],
    ['name', types.name, 'natter-1.example', '-a'],
  ] as const)('%s', (_, schema, good, bad) => {
    const read: z.ZodType = schema;
    expect(z.encode(read, read.parse(good))).toBe(good);
    for (const wrong of [bad, 7, null, {}, []]) expect(read.safeParse(wrong).success).toBe(false);
  });

  test('a prefix with host bits says what was meant', () => {
    expect(types.prefix.safeParse('192.0.2.1/24').error?.issues[0]?.message).toContain(
      'write 192.0.2.0/24',
    );
  });

  test('a duration keeps its bounds', () => {
    const within = types.durationWithin('100ms', '1m');
    expect(within.parse('1m')).toBe(60_000);
    expect(within.safeParse('2m').error?.issues[0]?.message).toBe('must be 100ms to 1m');
  });
});
