// The search for the highest rate: right to its tolerance, with few probes, and never beyond its
// limits, whatever the server can.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { highestRate, type Probe, type SearchOptions } from '../../../bench/dhcpd/search.ts';

const options: SearchOptions = {
  start: 1000,
  least: 50,
  most: 100_000,
  tolerance: 0.05,
  retries: 0,
  mostProbes: 30,
};

/** Passes up to what it can; beyond, it does less and less. */
function server(capacity: number) {
  const asked: number[] = [];
  const probe = async (rate: number): Promise<Probe> => {
    asked.push(rate);
    const passed = rate <= capacity;
    return { rate: passed ? rate : capacity * (capacity / rate), passed };
  };
  return { asked, probe };
}

describe('the highest rate', () => {
  test('is found within the tolerance, from any start', async () => {
    const rates = fc.integer({ min: 60, max: 90_000 });
    await fc.assert(
      fc.asyncProperty(rates, rates, async (capacity, start) => {
        const { asked, probe } = server(capacity);
        const found = await highestRate({ ...options, start }, probe);
        expect(found.best?.rate).toBeLessThanOrEqual(capacity);
        // Rates are whole numbers: at the lowest, the next one is 2 % more.
        expect(found.best?.rate).toBeGreaterThanOrEqual(Math.floor(capacity / 1.05) - 1);
        expect(found.isBound).toBe(false);
        expect(Math.max(...asked)).toBeLessThanOrEqual(options.most);
        expect(new Set(asked).size).toBe(asked.length);
      }),
    );
  });

  test('takes few probes when the guess is near', async () => {
    const found = await highestRate({ ...options, start: 9000 }, server(10_000).probe);
    expect(found.probes).toBeLessThanOrEqual(6);
  });

  test('is none when not even the least rate passes', async () => {
    const { asked, probe } = server(10);
    const found = await highestRate(options, probe);
    expect(found.best).toBeUndefined();
    expect(Math.min(...asked)).toBe(options.least);
  });

  test('is bounded, and says so', async () => {
    const found = await highestRate(options, server(1e9).probe);
    expect(found).toMatchObject({ best: { rate: options.most }, isBound: true });
  });

  test('ends when the probes are used up', async () => {
    const { asked, probe } = server(70_000);
    const found = await highestRate({ ...options, mostProbes: 3 }, probe);
    expect(asked).toEqual([1000, 1500, 2250]);
    expect(found).toMatchObject({ best: { rate: 2250 }, probes: 3, isBound: true });
  });

  test('is asked for again when something else disturbed it', async () => {
    const { asked, probe } = server(5000);
    const disturbed = async (rate: number): Promise<Probe> => {
      const result = await probe(rate);
      return asked.length === 1 ? { rate: 10, passed: false } : result;
    };
    const found = await highestRate({ ...options, start: 4000, retries: 1 }, disturbed);
    expect(asked.slice(0, 2)).toEqual([4000, 4000]);
    expect(found.best?.rate).toBeGreaterThan(4700);
  });

  test('is the best that was done, not the last', async () => {
    const done = new Map([
      [1000, 999],
      [1500, 950],
    ]);
    const probe = async (rate: number): Promise<Probe> => {
      return { rate: done.get(rate) ?? 900, passed: done.has(rate) };
    };
    expect((await highestRate(options, probe)).best?.rate).toBe(999);
  });
});
