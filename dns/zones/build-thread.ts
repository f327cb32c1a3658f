// The thread that builds zones: takes a batch, gives its results, one batch after the other.
import { parentPort } from 'node:worker_threads';
import { runJob } from './build.ts';
import type { BuildJob } from './types.ts';

parentPort?.on('message', (jobs: readonly BuildJob[]) => {
  parentPort?.postMessage(jobs.map((job) => runJob(job, Date.now)));
});
