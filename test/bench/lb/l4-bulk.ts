// One bulk TCP connection through each balancer, by iperf3: CPU seconds for 10⁹ bytes, of both
// ends, the proxy if there is one, and ksoftirqd.
import { softirqNs } from '../natter/cpu.ts';
import { runNs } from './l4-connections.ts';
import { addressOf, PORTS, type Site } from './l4-sites.ts';

/** The parts of iperf3's report that are read. CPU in percent of the time that the test took. */
type Report = {
  end: {
    sum_received: { bytes: number; seconds: number };
    cpu_utilization_percent: { host_total: number; remote_total: number };
  };
};

export async function transfer(site: Site, seconds: number) {
  const listening = site.spawnTarget('iperf3', ['iperf3', '-s', '-1']);
  try {
    await listening.ready('listens', () => site.isTargetListening(PORTS.iperf));
    const before = runNs(site.pids) + softirqNs();
    const argv = ['iperf3', '-c', addressOf(site.contender), '-J', '-t', String(seconds)];
    const { stdout } = await site.runClient(argv, (seconds + 20) * 1000);
    const around = (runNs(site.pids) + softirqNs() - before) / 1e9;
    const { end } = JSON.parse(stdout) as Report; // as: iperf3's own format
    const { bytes, seconds: took } = end.sum_received;
    const { host_total: host, remote_total: remote } = end.cpu_utilization_percent;
    const cpu = ((host + remote) / 100) * took + around;
    return { secondsPerGb: cpu / (bytes / 1e9), gbits: (8 * bytes) / took / 1e9 };
  } finally {
    await listening.kill9();
  }
}
