// Daemons that are killed, stopped for a while, or restarted.
import { family } from '../watch/daemons.ts';
import { type Strike, victimOf } from './strike.ts';

export const kill: Strike = async (site, planned) => {
  const daemon = victimOf(site, planned);
  await daemon.kill9();
  return { victim: daemon.name, struck: [daemon.name], heal: () => daemon.start({ wait: false }) };
};

export const restart: Strike = async (site, planned) => {
  const daemon = victimOf(site, planned);
  await daemon.stopDaemon();
  return { victim: daemon.name, struck: [daemon.name], heal: () => daemon.start({ wait: false }) };
};

/** All threads of the daemon and of its workers. */
export const freeze: Strike = async (site, planned) => {
  const daemon = victimOf(site, planned);
  const pids = family(daemon.daemon?.pid ?? -1);
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  const heal = async (): Promise<void> => {
    for (const pid of pids) process.kill(pid, 'SIGCONT');
  };
  return { victim: daemon.name, struck: [], heal };
};
