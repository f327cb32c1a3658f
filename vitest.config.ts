import { defineConfig } from 'vitest/config';

const isCi = process.env.CI === 'true';

// System tests make network namespaces and load the CPU: files run one at a time there, so that a
// two-core machine measures what the test says and not its neighbour.
export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        extends: true,
        test: { name: 'sim', include: ['test/sim/**/*.test.ts'], retry: isCi ? 2 : 0 },
      },
      {
        extends: true,
        test: {
          name: 'system',
          // CI's machine is busy with what it does besides; a further try is shown in the report.
          retry: isCi ? 2 : 0,
          include: ['test/system/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
