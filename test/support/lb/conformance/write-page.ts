// Plays all rows against a worker of ours, HAProxy and nginx, and writes what was found into
// docs/conformance-lb.md: node test/support/lb/conformance/write-page.ts
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { summary } from './compare.ts';
import { OTHERS, startOther } from './others.ts';
import { startWorkers } from './ours.ts';
import { type Found, fill } from './page.ts';
import { ROWS } from './rows.ts';
import { AS_SAID, patienceFor, playAll } from './run.ts';
import { open, type Start } from './subjects.ts';

const PAGE = join(import.meta.dirname, '../../../../docs/conformance-lb.md');

async function foundAt(network: number, start: Start, patience = patienceFor): Promise<Found> {
  const subject = await open(ROWS, network, start);
  try {
    const played = await playAll(subject.places, ({ row }) => patience(row));
    return new Map(
      ROWS.map((row, index) => {
        const found = played[index];
        if (found === undefined || found instanceof Error) throw found;
        return [row.id, summary(row, found)];
      }),
    );
  } finally {
    await subject.stop();
  }
}

const ours = await foundAt(80, startWorkers, () => AS_SAID);
const [haproxy, nginx] = [
  await foundAt(81, (places) => startOther(OTHERS[0], places)),
  await foundAt(82, (places) => startOther(OTHERS[1], places)),
];
writeFileSync(PAGE, fill(readFileSync(PAGE, 'utf8'), { ours, haproxy, nginx }));
