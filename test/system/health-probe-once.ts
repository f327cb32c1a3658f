// Probes the targets of its first argument (JSON), and prints how each ended. `full` as the second:
// without a file descriptor left.
import { openSync } from 'node:fs';
import { systemClock } from '../../shared/clock.ts';
import { createProbes } from '../../shared/health/probes.ts';
import type { Target } from '../../shared/health/types.ts';
import { systemRandom } from '../../shared/random.ts';

const [targets = '[]', mode] = process.argv.slice(2);
const probes = createProbes({ clock: systemClock, random: systemRandom });
const wanted = JSON.parse(targets) as Target[]; // the test's
const first = wanted.at(0);
if (mode === 'full' && first !== undefined) {
  await probes.probe(first); // what is read or opened but once is there now
  try {
    for (;;) openSync('/dev/null', 'r');
  } catch {
    // Now there is none.
  }
}
const results = await Promise.all(wanted.map((target) => probes.probe(target)));
const lines = results.map(({ verdict, reason }) => `${verdict}: ${reason}`);
await new Promise((written) => process.stdout.write(JSON.stringify(lines), written));
process.exit(0);
