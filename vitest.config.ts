import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const isCi = process.env.CI === 'true';
/** Every core: vitest would leave one of them idle. More than four have not been tried. */
const maxWorkers = Math.min(4, Math.max(2, availableParallelism()));

/** Load the machine, or measure it: one at a time, when nothing else runs. */
const ALONE = [
  'test/system/bpf*.test.ts',
  'test/system/dhcpd-hostile.test.ts',
  'test/system/dhcpd-load.test.ts',
  'test/system/dns-hostile.test.ts',
  'test/system/natter-{cluster,limits}.test.ts',
  'test/system/setup.test.ts',
];

const system = {
  // CI's machine is busy with what it does besides; a further try is shown in the report.
  retry: isCi ? 2 : 0,
  testTimeout: 120_000,
  hookTimeout: 120_000,
};

export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'], maxWorkers } },
      {
        extends: true,
        test: { name: 'sim', include: ['test/sim/**/*.test.ts'], maxWorkers, retry: isCi ? 2 : 0 },
      },
      {
        extends: true,
        // They make network namespaces, and mostly wait: one more than there are cores.
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          exclude: ALONE,
          maxWorkers: maxWorkers + 1,
          sequence: { groupOrder: 1 },
          ...system,
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: ALONE,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
          ...system,
        },
      },
    ],
  },
});
