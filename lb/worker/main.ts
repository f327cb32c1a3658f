// A worker process of edge-lb: started by the daemon, ended with it.
import { systemClock } from '../../shared/clock.ts';
import { systemRandom } from '../../shared/random.ts';
import type { ToWorker } from '../workers/messages.ts';
import { L7Worker } from './worker.ts';

const ended = new AbortController();
let worker: L7Worker | undefined;
/** One message after the other: a plan takes a while until its addresses listen. */
let work = Promise.resolve();

function usedBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

process.on('message', (message: ToWorker) => {
  work = work.then(async () => {
    if (worker === undefined) {
      if (message.kind !== 'settings') return;
      worker = new L7Worker({
        settings: message.settings,
        send: (told) => void (process.connected && process.send?.(told)),
        clock: systemClock,
        random: systemRandom,
        rssBytes: () => process.memoryUsage.rss(),
        memory: { usedBytes, collect: () => globalThis.gc?.() },
        signal: ended.signal,
      });
      worker.start();
    }
    await worker.take(message);
  });
  work.catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
process.on('disconnect', () => {
  ended.abort();
  worker?.close();
  process.exit(0);
});
// The daemon decides when a worker ends; a terminal's Ctrl-C goes to all of the group.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('SIGHUP', () => {});
