// The thread of builder.ts: takes one piece of work, gives its result, and takes the next.
import { parentPort } from 'node:worker_threads';
import { doWork, type Work } from './work.ts';

parentPort?.on('message', async (work: Work) => {
  parentPort?.postMessage(await doWork(work));
});
