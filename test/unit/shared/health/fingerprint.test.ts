import { expect, test } from 'vitest';
import { hashText, mix, targetId } from '../../../../shared/health/fingerprint.ts';
import type { CheckSettings } from '../../../../shared/health/types.ts';

const tcp: CheckSettings = {
  type: 'tcp',
  port: 80,
  intervalMs: 5000,
  timeoutMs: 2000,
  rise: 2,
  fall: 3,
};
const http: CheckSettings = {
  ...tcp,
  type: 'http',
  path: '/',
  status: [200, 399],
  verify: false,
};

// Instances of different versions have to mean the same target for years.
test('an id never changes', () => {
  expect(targetId({ address: '192.0.2.1', check: tcp })).toMatchInlineSnapshot(
    `"c20a757f82844824"`,
  );
  expect(targetId({ address: '2001:db8::1', check: http })).toMatchInlineSnapshot(
    `"1959e05bc19c89d1"`,
  );
});

test('the order of the keys is nobody’s business', () => {
  const turned = Object.fromEntries(Object.entries(http).toReversed()) as CheckSettings;
  const [one, other] = [http, turned].map((check) => targetId({ address: '192.0.2.1', check }));
  expect(one).toBe(other);
});

test.each<[string, string, CheckSettings]>([
  ['address', '192.0.2.2', http],
  ['interval', '192.0.2.1', { ...http, intervalMs: 5001 }],
  ['timeout', '192.0.2.1', { ...http, timeoutMs: 1000 }],
  ['rise', '192.0.2.1', { ...http, rise: 3 }],
  ['fall', '192.0.2.1', { ...http, fall: 2 }],
  ['path', '192.0.2.1', { ...http, path: '/x' }],
  ['status', '192.0.2.1', { ...http, status: [200, 200] } as CheckSettings],
  ['host', '192.0.2.1', { ...http, host: 'a.example' } as CheckSettings],
  ['type', '192.0.2.1', { ...http, type: 'https' } as CheckSettings],
])('another %s is another target', (_, address, check) => {
  expect(targetId({ address, check })).not.toBe(targetId({ address: '192.0.2.1', check: http }));
});

test('ids of many targets differ', () => {
  const ids = new Set<string>();
  for (let at = 0; at < 20_000; at++) {
    ids.add(targetId({ address: `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`, check: tcp }));
  }
  expect(ids.size).toBe(20_000);
});

test('a hash is 32 bits without sign, and a seed makes it another', () => {
  for (const text of ['', 'a', 'ä', '192.0.2.1']) {
    expect(hashText(text)).toBe(hashText(text) >>> 0);
    expect(hashText(text, 1)).not.toBe(hashText(text));
  }
  expect(mix(1)).not.toBe(mix(2));
});
