// A daemon of the package run as its unit says, without systemd: user, group, capabilities, system
// calls, a read-only root with what may be written, and what is seen of /proc.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  allowedCalls,
  parseCallGroups,
  parseUnit,
  seccompProgram,
  type Unit,
} from './unit-file.ts';
import { type Machine, must } from './verify-root.ts';

const SCRATCH = '/run/edge-verify';
const POLL_MS = 100;
/** Loads the filter and becomes the program; a minimal root has perl, and no other way to. */
const LOADER = `use strict;
open(my $file, '<:raw', shift) or die "filter: $!";
local $/; my $filter = <$file>;
my $program = pack('S x![P] P', length($filter) / 8, $filter);
my %number = (x86_64 => 157, aarch64 => 167);
require POSIX;
my $prctl = $number{(POSIX::uname())[4]};
syscall($prctl, 22, 2, $program, 0, 0) == 0 or die "seccomp: $!";
exec @ARGV or die "$ARGV[0]: $!";
`;

/** Resolves with what the probe says once it says something; else rejects with `what`. */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false,
  timeoutMs = 60_000,
): Promise<T> {
  for (const endMs = performance.now() + timeoutMs; performance.now() < endMs; ) {
    const said = probe();
    if (said !== undefined && said !== false) return said;
    await delay(POLL_MS);
  }
  throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
}

export class Daemon {
  readonly #machine: Machine;
  readonly #name: string;
  readonly #process: ChildProcess;
  readonly #ended: Promise<number | null>;
  readonly unit: Unit;
  readonly logFile: string;

  constructor(machine: Machine, name: string, logFolder: string) {
    this.#machine = machine;
    this.#name = name;
    this.logFile = join(logFolder, `${name}.log`);
    const unitFile = join(machine.root, `usr/lib/systemd/system/${name}.service`);
    this.unit = parseUnit(readFileSync(unitFile, 'utf8'));
    prepare(machine, name, this.unit);
    const log = openSync(this.logFile, 'w');
    const [first = '', ...rest] = machine.words('sh', '-c', sandbox(name, this.unit));
    this.#process = spawn(first, rest, { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#ended = new Promise((resolve) => this.#process.once('exit', resolve));
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** The last lines of its log. */
  lastWords(): string {
    return readFileSync(this.logFile, 'utf8').trim().split('\n').slice(-4).join('\n');
  }

  /** Uid and effective capabilities, as the kernel has them. */
  identity(): string {
    const status = this.#machine.must('cat', `/proc/${this.#pid()}/status`);
    const field = (key: string) => new RegExp(`^${key}:\\s+(\\S+)`, 'm').exec(status)?.[1] ?? '';
    const user = this.#machine.must('id', '-nu', field('Uid')).trim();
    return `${user} ${field('CapEff').replace(/^0+/, '0x')} seccomp ${field('Seccomp')}`;
  }

  /** SIGTERM; resolves with the exit code. */
  async stop(): Promise<number | null> {
    // The shell's own: a minimal root has no procps.
    this.#machine.must('sh', '-c', `kill -TERM ${this.#pid()}`);
    return this.#ended;
  }

  #pid(): string {
    return this.#machine.must('cat', `${SCRATCH}/${this.#name}.pid`).trim();
  }
}

/** What systemd does before it starts one: directories, the `+` lines, the filter. */
function prepare(machine: Machine, name: string, unit: Unit): void {
  machine.must('mkdir', '-p', SCRATCH);
  const owned = ['install', '-d', '-o', unit.user, '-g', unit.group, '-m', unit.stateMode];
  machine.must(...owned, unit.stateDirectory);
  for (const line of unit.prepare) machine.must('sh', '-c', line);
  const folder = join(machine.root, 'usr/local/lib/edge-verify');
  mkdirSync(folder, { recursive: true });
  const calls = allowedCalls(
    unit.systemCalls,
    parseCallGroups(must('systemd-analyze', ['--no-pager', 'syscall-filter'])),
  );
  const numbers = callNumbers();
  const known = [...calls].map((call) => numbers.get(call)).filter((each) => each !== undefined);
  writeFileSync(join(folder, `${name}.filter`), seccompProgram(known));
  writeFileSync(join(folder, 'load.pl'), LOADER);
}

/** A shell's line: mounts of its own, then the user, then the filter, then the daemon. */
function sandbox(name: string, unit: Unit): string {
  const writable = [unit.stateDirectory, ...unit.writable.map((path) => path.replace(/^-/, ''))];
  const hide = unit.hidesProc ? 'hidepid=invisible' : 'hidepid=off';
  const proc = `${hide}${unit.procPidOnly ? ',subset=pid' : ''}`;
  const capabilities = unit.capabilities.map((each) => `+${each.slice(4).toLowerCase()}`);
  const set = ['-all', ...capabilities].join(',');
  const identity = [
    `--reuid=${unit.user} --regid=${unit.group} --init-groups --no-new-privs`,
    `--inh-caps=${set} --ambient-caps=${set} --bounding-set=${set}`,
  ];
  const folder = '/usr/local/lib/edge-verify';
  const filter = `perl ${folder}/load.pl ${folder}/${name}.filter`;
  const inside = [
    ...writable.map((path) => `[ ! -d ${path} ] || mount --bind ${path} ${path}`),
    'mount -o remount,bind,ro /',
    'mount -o remount,bind,ro /run',
    `mount -t proc -o ${proc} proc /proc`,
    'mount -t tmpfs tmpfs /tmp',
    // As far as this machine lets root go.
    `{ ulimit -n ${unit.openFiles} 2>/dev/null || :; }`,
    `umask ${unit.umask}`,
    `exec setpriv ${identity.join(' ')} ${filter} ${unit.command.join(' ')}`,
  ].join(' && ');
  return `echo $$ >${SCRATCH}/${name}.pid && exec unshare --mount sh -c '${inside}'`;
}

/** Numbers of this machine's system calls, from the kernel's headers. */
function callNumbers(): Map<string, number> {
  const header = must('cc', ['-E', '-dM', '-include', 'sys/syscall.h', '-x', 'c', '/dev/null']);
  const rows = header.matchAll(/^#define __NR_(\w+) (\d+)$/gm);
  return new Map([...rows].map(([, name = '', number]) => [name, Number(number)]));
}
