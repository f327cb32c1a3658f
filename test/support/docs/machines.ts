// The machines of docs/appliance.md: the appliance with a file system of its own over this one's
// (what is written to /etc, /usr/local, /var and /run is gone with it), and a client and a VM on
// its two links. Everything in there ends with the holder, a process namespace's first process.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../../lab/ready.ts';
import { NetworkNamespace } from '../network-namespace.ts';

const ROOT = join(import.meta.dirname, '../../..');

/** In the appliance's mount namespace; $1: an empty directory, $2: the checkout. */
const MOUNTS = `
mount -t tmpfs layers "$1"
mkdir "$1/bin" "$1/services"
for name in systemctl journalctl; do
  ln -s /opt/edgeplane/test/support/docs/systemctl.sh "$1/bin/$name"
done
for directory in etc usr/local opt root var/lib var/log run; do
  mkdir -p "$1/over/$directory" "$1/work/$directory"
  layers=lowerdir=/$directory,upperdir=$1/over/$directory,workdir=$1/work/$directory
  mount -t overlay over -o "$layers" "/$directory"
done
mkdir -p /opt/edgeplane
mount --bind "$2" /opt/edgeplane
rm -rf /etc/edge /run/edge /var/lib/edge /var/log/edge
mount -t sysfs sysfs /sys
mount -t bpf bpf /sys/fs/bpf
chmod 755 "$1" "$1/services"
`;

/** Each in the network namespace of the machine whose name comes first. */
const LINKS = [
  ['host', 'ip link add eth0 type veth peer name eth0 netns $CLIENT'],
  ['host', 'ip link add eth1 type veth peer name eth0 netns $VM'],
  ['host', 'ip link set lo up; ip link set eth0 up; ip link set eth1 up'],
  ['host', 'ip address add 198.51.100.2/24 dev eth0; ip address add 10.0.0.1/24 dev eth1'],
  ['client', 'ip link set lo up; ip link set eth0 up; ip address add 203.0.113.5/32 dev lo'],
  ['client', 'ip address add 198.51.100.1/24 dev eth0'],
  ['host', 'ip route add default via 198.51.100.1'],
  ['vm', 'ip link set lo up; ip link set eth0 address 02:00:00:00:00:05; ip link set eth0 up'],
] as const;

export type Said = { code: number | null; output: string };

export class Machines {
  readonly #directory = mkdtempSync(join(tmpdir(), 'edge-docs-'));
  readonly #others: Record<string, NetworkNamespace> = {
    client: new NetworkNamespace(),
    vm: new NetworkNamespace(),
  };
  #holder: ChildProcess | undefined;
  /** The first process in there, as it is called out here. */
  #first = 0;

  async up(): Promise<void> {
    const unshare = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const command = ['--pdeathsig', 'KILL', 'unshare', ...unshare];
    const init = ['bash', '-c', 'while :; do sleep 1000; done'];
    this.#holder = spawn('setpriv', [...command, ...init], { stdio: 'ignore' });
    await until('the first process of the appliance', () => this.#findFirst());
    await Promise.all(Object.values(this.#others).map((each) => each.ready()));
    execFileSync(
      'nsenter',
      this.#inside('host', ['sh', '-ec', MOUNTS, 'sh', this.#directory, ROOT]),
    );
    const env = { ...process.env, CLIENT: this.#pidOf('client'), VM: this.#pidOf('vm') };
    for (const [machine, script] of LINKS) {
      execFileSync('nsenter', [this.#netOf(machine), 'sh', '-ec', script], { env });
    }
  }

  /** A bash script, to its end; what it said on both outputs. */
  run(machine: string, script: string, timeoutMs: number): Said {
    const { status, stdout, stderr } = spawnSync('nsenter', this.#command(machine, script), {
      encoding: 'utf8',
      timeout: timeoutMs,
      stdio: ['ignore', 'pipe', 'pipe'], // with a socket as stdin bash reads its rc file
      env: this.#environment,
    });
    return { code: status, output: stdout + stderr };
  }

  /** Until all ends. */
  start(machine: string, script: string): void {
    spawn('nsenter', this.#command(machine, script), { stdio: 'ignore', env: this.#environment });
  }

  down(): void {
    this.#holder?.kill('SIGKILL');
    for (const each of Object.values(this.#others)) each.end();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #findFirst(): boolean {
    const { pid } = this.#holder ?? {};
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    this.#first = Number(children);
    return children !== '' && readFileSync(`/proc/${children}/comm`, 'utf8') === 'bash\n';
  }

  /** For nsenter: files and processes are the appliance's, the network is the machine's. */
  #inside(machine: string, command: readonly string[]): string[] {
    const own = ['-t', `${this.#first}`, '--mount', '--pid'];
    return [...own, this.#netOf(machine), '--', ...command];
  }

  #netOf(machine: string): string {
    return `--net=/proc/${this.#pidOf(machine)}/ns/net`;
  }

  #command(machine: string, script: string): string[] {
    const file = join(this.#directory, 'script');
    return this.#inside(machine, ['bash', '-euo', 'pipefail', '-c', script, file]);
  }

  #pidOf(machine: string): string {
    return `${this.#others[machine]?.pid ?? this.#first}`;
  }

  get #environment(): NodeJS.ProcessEnv {
    const path = `${this.#directory}/bin:/opt/edgeplane/node_modules/.bin:${process.env.PATH}`;
    return {
      PATH: path,
      HOME: '/root',
      SERVICES: `${this.#directory}/services`,
      UNITS: '/etc/systemd/system',
    };
  }
}
