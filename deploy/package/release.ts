// What is packed: version, date and machine, from package.json and the last commit, so that two
// builds of one commit are the same package.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Release = {
  /** Of package.json. */
  version: string;
  /** With the commit, unless the commit is tagged as this version. */
  debianVersion: string;
  /** Seconds since 1970, of the last commit: every date in the package. */
  epoch: number;
  architecture: 'amd64' | 'arm64';
};

export function releaseOf(checkout: string, env: NodeJS.ProcessEnv): Release {
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', checkout, ...args], { encoding: 'utf8' }).trim();
  const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'));
  const epoch = Number(env.SOURCE_DATE_EPOCH ?? git('log', '-1', '--format=%ct'));
  const isTagged = git('tag', '--points-at', 'HEAD').split('\n').includes(`v${version}`);
  const stamp = new Date(epoch * 1000).toISOString().replace(/\D/g, '').slice(0, 14);
  const commit = git('rev-parse', '--short=8', 'HEAD');
  return {
    version,
    debianVersion: isTagged ? version : `${version}~git${stamp}.${commit}`,
    epoch,
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
  };
}

/** The subjects of the last commits, newest first. */
export function changesOf(checkout: string, count: number): string[] {
  const args = ['-C', checkout, 'log', `-${count}`, '--format=%s'];
  return execFileSync('git', args, { encoding: 'utf8' }).trim().split('\n');
}
