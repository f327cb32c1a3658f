// The commands by which `vif` changes this host. What fails is told with the command's own words.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { OperationalError } from '../../errors.ts';

const COMMAND_TIMEOUT_MS = 10_000;

/** Injected, so that the order of steps can be tested anywhere. */
export interface VifSystem {
  /** stdout; throws EDGE_CTL_VIF. `input` goes to stdin. */
  run(command: string, args: readonly string[], input?: string): Promise<string>;
  /** Writes below /proc/sys. False: the kernel has no such setting (IPv6 is off, say). */
  sysctl(path: string, value: string): Promise<boolean>;
}

export const vifSystem: VifSystem = {
  run(command, args, input) {
    return new Promise((resolve, reject) => {
      const options = { timeout: COMMAND_TIMEOUT_MS };
      const child = execFile(command, args, options, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(failure(`${command} ${args.join(' ')}`, error, stderr));
      });
      child.stdin?.on('error', () => {}); // it ended before it read all: its exit code says why
      child.stdin?.end(input);
    });
  },
  async sysctl(path, value) {
    try {
      await writeFile(`/proc/sys/${path}`, value);
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
      throw failure(`sysctl ${path}`, error, '');
    }
  },
};

function failure(what: string, cause: unknown, stderr: string): OperationalError {
  const said = stderr.trim().split('\n').slice(0, 3).join('; ');
  const why = said === '' && cause instanceof Error ? cause.message : said;
  const denied = /not permitted|permission denied/i.test(why);
  const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
  return new OperationalError('EDGE_CTL_VIF', `${what}: ${why}`, {
    cause,
    ...(denied ? { exitCode: 77, remedy: 'run it as root, or with sudo' } : {}),
    ...(missing ? { remedy: 'install iproute2 and nftables' } : {}),
  });
}
