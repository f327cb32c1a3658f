// CPU time of the kernel work that this thread starts: its own, softirqs that run in it included,
// and that of the ksoftirqd threads, which take over when there is much.
import { readdirSync, readFileSync } from 'node:fs';

function findKsoftirqd(): string[] {
  const isKsoftirqd = (pid: string): boolean => {
    try {
      return readFileSync(`/proc/${pid}/comm`, 'latin1').startsWith('ksoftirqd/');
    } catch {
      return false; // it has just ended
    }
  };
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isKsoftirqd(name));
}

let ksoftirqd: string[] | undefined;

/** Nanoseconds that all ksoftirqd have run. */
export function softirqNs(): number {
  ksoftirqd ??= findKsoftirqd();
  return ksoftirqd
    .map((pid) => Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[0]))
    .reduce((sum, ns) => sum + ns, 0);
}

/** Nanoseconds of CPU that `work`, which must not wait, took. */
export function cpuNsOf(work: () => void): number {
  const softirqBefore = softirqNs();
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) * 1000 + softirqNs() - softirqBefore;
}
