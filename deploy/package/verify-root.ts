// A Debian root of its own to install the package in, and the namespaces that it runs in: mounts,
// processes and links are nobody else's, and end with this process.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CACHE = '/var/cache/edgeplane';
const MINUTES = 60_000;

export type Said = { code: number | null; stdout: string; stderr: string };

export function run(command: string, args: readonly string[], timeoutMs = 30_000): Said {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: timeoutMs,
    maxBuffer: 64 * 1024 * 1024,
  });
  return { code: status, stdout: stdout ?? '', stderr: `${stderr ?? ''}${error?.message ?? ''}` };
}

/** The output of what must succeed. */
export function must(command: string, args: readonly string[], timeoutMs?: number): string {
  const { code, stdout, stderr } = run(command, args, timeoutMs);
  if (code === 0) return stdout;
  const shown = [command, ...args].join(' ').slice(0, 200);
  throw new Error(`${shown}: ended with ${code}: ${stderr.trim() || stdout.trim()}`);
}

/** Debian as this machine has it: its release, and where its apt has the packages from. */
function debian(): { codename: string; mirror: string } {
  const codename = /^VERSION_CODENAME=(\w+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  const format = '$(REPO_URI) $(CODENAME)';
  const targets = must('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
  const row = targets.split('\n').find((line) => line.endsWith(` ${codename}`));
  if (codename === undefined || row === undefined)
    throw new Error('this Debian, or where its packages are, cannot be told: run apt-get update');
  return { codename, mirror: row.split(' ')[0] ?? '' };
}

/** A fresh minimal root; made once by debootstrap, then unpacked from the cache. */
export function makeRoot(say: (line: string) => void): string {
  const { codename, mirror } = debian();
  const tarball = join(CACHE, `root-${codename}-${process.arch}.tar`);
  mkdirSync(join(CACHE, 'archives/partial'), { recursive: true });
  const folder = mkdtempSync('/var/tmp/edge-package-');
  const root = join(folder, 'root');
  mkdirSync(root);
  if (existsSync(tarball)) must('tar', ['-C', root, '-xf', tarball], 5 * MINUTES);
  else {
    say(`debootstrap ${codename}; some minutes, once`);
    must('debootstrap', ['--variant=minbase', codename, root, mirror], 20 * MINUTES);
    must('tar', ['-C', root, '-cf', `${tarball}.new`, '.'], 5 * MINUTES);
    must('mv', [`${tarball}.new`, tarball]);
  }
  writeFileSync(join(root, 'etc/apt/sources.list'), `deb ${mirror} ${codename} main\n`);
  const acquire = must('apt-config', ['dump'])
    .split('\n')
    .filter((line) => /^Acquire::/.test(line));
  writeFileSync(join(root, 'etc/apt/apt.conf.d/90host'), `${acquire.join('\n')}\n`);
  // As in any chroot: what is installed here is not started by its own scripts.
  writeFileSync(join(root, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  return root;
}

export function removeRoot(root: string): void {
  rmSync(join(root, '..'), { recursive: true, force: true });
}

/** apt in the root, with the network of the host and mounts and processes of its own. */
export function aptWithNetwork(root: string, ...args: string[]): string {
  const mounts = [
    `mount --bind ${root} ${root}`,
    `mount -t proc proc ${root}/proc`,
    `mount --bind ${CACHE}/archives ${root}/var/cache/apt/archives`,
  ].join(' && ');
  const apt = 'env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q -y "$@"';
  const line = `${mounts} && exec chroot ${root} ${apt}`;
  const isolated = ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', line, 'sh', ...args];
  return must('unshare', isolated, 10 * MINUTES);
}

/** Links of its own, without the root: a client, a VM. */
export class Network {
  readonly #holder: ChildProcess;

  constructor() {
    const args = ['--pdeathsig', 'KILL', 'unshare', '--net', 'sleep', '3600'];
    this.#holder = spawn('setpriv', args, { stdio: 'ignore' });
  }

  get pid(): number {
    return this.#holder.pid ?? 0;
  }

  /** The words of a program of this machine, to be run here. */
  words(...command: string[]): string[] {
    return ['nsenter', '-t', String(this.pid), '--net', ...command];
  }

  run(...command: string[]): Said {
    const [first = '', ...rest] = this.words(...command);
    return run(first, rest);
  }

  must(...command: string[]): string {
    const [first = '', ...rest] = this.words(...command);
    return must(first, rest);
  }

  close(): void {
    this.#holder.kill('SIGKILL');
  }
}

/** The root, running: mounts, processes and links of its own, and a bpffs. */
export class Machine {
  readonly root: string;
  readonly #holder: ChildProcess;
  #pid = 0;

  constructor(root: string) {
    this.root = root;
    const mounts = [
      `mount --bind ${root} ${root}`,
      `mount -t proc proc ${root}/proc`,
      `mount -t sysfs sysfs ${root}/sys`,
      `mount -t bpf -o mode=700 bpf ${root}/sys/fs/bpf`,
      `mount -t tmpfs -o mode=755 tmpfs ${root}/run`,
      'ip link set lo up',
      'echo ready',
    ].join(' && ');
    const isolated = ['--mount', '--pid', '--net', '--fork', '--kill-child'];
    const args = ['--pdeathsig', 'KILL', 'unshare', ...isolated, 'sh', '-c'];
    this.#holder = spawn('setpriv', [...args, `${mounts} && exec sleep 3600`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }

  /** The holder's pid here; the first process there. */
  get pid(): number {
    return this.#pid;
  }

  async ready(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#holder.stdout?.once('data', () => resolve());
      this.#holder.once('exit', (code) => reject(new Error(`no namespaces: ended with ${code}`)));
    });
    const parent = this.#holder.pid;
    const children = execFileSync('cat', [`/proc/${parent}/task/${parent}/children`]);
    this.#pid = Number(children.toString().trim());
  }

  /** The words of a program of the root, to be run there as root. */
  words(...command: string[]): string[] {
    const namespaces = ['--mount', '--pid', '--net'];
    const environment = ['env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C.UTF-8'];
    const enter = ['nsenter', '-t', String(this.#pid), ...namespaces, 'chroot', this.root];
    return [...enter, ...environment, ...command];
  }

  run(...command: string[]): Said {
    const [first = '', ...rest] = this.words(...command);
    return run(first, rest, 2 * MINUTES);
  }

  must(...command: string[]): string {
    const [first = '', ...rest] = this.words(...command);
    return must(first, rest, 2 * MINUTES);
  }

  /** A program of this machine among the root's links. */
  hostTool(...command: string[]): Said {
    const [first = '', ...rest] = ['nsenter', '-t', String(this.#pid), '--net', ...command];
    return run(first, rest);
  }

  close(): void {
    this.#holder.kill('SIGKILL');
  }
}
