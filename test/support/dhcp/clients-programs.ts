// udhcpc, dhclient and dhcpcd, so that they leave the host's files alone: each runs in a mount
// namespace where /run, their directories and resolv.conf are the test's own, with a script that
// sets the address and writes down what it was told.

import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Result } from '../../../lab/exec.ts';
import { until } from '../../../lab/ready.ts';
import type { Machine, Program } from './clients-machines.ts';

/** What a script was called with: the reason, and the variables of the client. */
export type ClientEvent = { reason: string; told: Record<string, string> };

const WRITE = 'env; echo "=end"; } >> "$events"';

/** `exit 3` where it says so makes dhclient decline what it was given. */
const script = (directory: string): string => `#!/bin/sh
events=${directory}/events
case $1 in
deconfig | bound | renew | nak | leasefail) reason=$1 ;;
esac
address=\${ip:-$new_ip_address}
bits=\${mask:-\${new_subnet_cidr:-24}}
case $reason in
deconfig | EXPIRE | FAIL | RELEASE | STOP | NAK | STOPPED | PREINIT)
  ip -4 address flush dev "$interface"
  ip link set dev "$interface" up ;;
bound | renew | BOUND | RENEW | REBIND | REBOOT)
  if [ -e ${directory}/refuse ]; then
    rm ${directory}/refuse
    { echo "=DECLINE"; ${WRITE}
    exit 3
  fi
  # What is there already stays, with the routes by it.
  if ! ip -4 address show dev "$interface" | grep -q "inet $address/"; then
    ip -4 address flush dev "$interface"
    ip address add "$address/$bits" dev "$interface"
  fi ;;
esac
{ echo "=$reason"; ${WRITE}
`;

export class ClientFiles {
  readonly directory: string;
  readonly machine: Machine;

  constructor(parent: string, machine: Machine, program: string) {
    this.directory = join(parent, `${machine.name}-${program}`);
    this.machine = machine;
    if (existsSync(this.directory)) return;
    for (const name of ['run/dhcpcd', 'lib']) {
      mkdirSync(join(this.directory, name), { recursive: true });
    }
    writeFileSync(join(this.directory, 'resolv.conf'), '');
    writeFileSync(this.script, script(this.directory), { mode: 0o755 });
    writeFileSync(join(this.directory, 'events'), '');
  }

  get script(): string {
    return join(this.directory, 'script');
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** Oldest first. */
  events(): ClientEvent[] {
    const blocks = readFileSync(this.path('events'), 'utf8').split('=end\n').slice(0, -1);
    return blocks.map((block) => {
      const [reason = '', ...lines] = block.trimEnd().split('\n');
      const pairs = lines.map((line) => line.split(/=(.*)/s, 2) as [string, string]);
      return { reason: reason.slice(1), told: Object.fromEntries(pairs) };
    });
  }

  /** The first event of these reasons after the first `after` ones. */
  async event(reasons: readonly string[], after = 0, timeoutMs = 30_000): Promise<ClientEvent> {
    return await until(
      `${this.machine.name}: ${reasons.join(' or ')}`,
      () =>
        this.events()
          .slice(after)
          .find(({ reason }) => reasons.includes(reason)),
      { timeoutMs },
    );
  }

  /** Makes dhclient's script refuse the next address. */
  refuseOne(): void {
    writeFileSync(this.path('refuse'), '');
  }

  /** The command, with the host's directories covered by the test's. */
  private(command: string, args: readonly string[]): [string, string[]] {
    const cover = [
      // It may be in /run, which is covered next.
      `mount --bind ${this.path('resolv.conf')} ${realpathSync('/etc/resolv.conf')}`,
      `mount --bind ${this.path('run')} /run`,
      `if [ -d /var/lib/dhcpcd ]; then mount --bind ${this.path('lib')} /var/lib/dhcpcd; fi`,
    ];
    const line = `${cover.join(' && ')} && exec "$@"`;
    return ['unshare', ['--mount', 'sh', '-c', line, 'sh', command, ...args]];
  }

  run(command: string, ...args: string[]): Promise<Result> {
    const [outer, all] = this.private(command, args);
    return this.machine.run(outer, ...all);
  }

  spawn(command: string, ...args: string[]): Program {
    const [outer, all] = this.private(command, args);
    return this.machine.spawn(this.path('log'), outer, ...all);
  }
}

/** Busybox's. `-q` ends with the first lease, `-n` without any. */
export class Udhcpc extends ClientFiles {
  constructor(parent: string, machine: Machine) {
    super(parent, machine, 'udhcpc');
  }

  arguments(...more: string[]): string[] {
    return ['-i', 'e0', '-f', '-s', this.script, '-t', '5', '-T', '1', ...more];
  }

  /** The address that it got, or undefined. */
  async once(...more: string[]): Promise<string | undefined> {
    const { stderr, stdout } = await this.run('udhcpc', ...this.arguments('-n', '-q', ...more));
    return /lease of (\S+) obtained/.exec(`${stdout}${stderr}`)?.[1];
  }

  start(...more: string[]): Program {
    return this.spawn('udhcpc', ...this.arguments(...more));
  }
}

const DHCLIENT_CONF = `timeout 20;
retry 2;
select-timeout 0;
initial-interval 1;
backoff-cutoff 2;
reboot 3;
option rfc3442-routes code 121 = array of unsigned integer 8;
option long-private code 224 = string;
request subnet-mask, broadcast-address, routers, domain-name, domain-name-servers, host-name,
  interface-mtu, rfc3442-routes, long-private, domain-search;
`;

/** ISC's. A copy of the program, for AppArmor may confine the installed one, by its path. */
export class Dhclient extends ClientFiles {
  constructor(parent: string, machine: Machine, conf = '') {
    super(parent, machine, 'dhclient');
    const found = execFileSync('sh', ['-c', 'command -v dhclient'], { encoding: 'utf8' }).trim();
    copyFileSync(found, this.path('program'));
    writeFileSync(this.path('conf'), `${DHCLIENT_CONF}${conf}\n`);
  }

  arguments(...more: string[]): string[] {
    const files = ['-cf', 'conf', '-lf', 'leases', '-pf', 'pid', '-sf', 'script'];
    const paths = files.map((name) => (name.startsWith('-') ? name : this.path(name)));
    return ['-4', '-v', ...paths, ...more, 'e0'];
  }

  async once(): Promise<string | undefined> {
    const program = this.start('-1');
    const { told } = await this.event(['BOUND', 'REBOOT'], this.events().length);
    await program.end();
    return told.new_ip_address;
  }

  start(...more: string[]): Program {
    return this.spawn(this.path('program'), ...this.arguments('-d', ...more));
  }

  release(): Promise<Result> {
    return this.run(this.path('program'), ...this.arguments('-r'));
  }
}

const DHCPCD_CONF = `ipv4only
noipv4ll
nohook
option subnet_mask, routers, domain_name_servers, domain_name, host_name, interface_mtu
option classless_static_routes, dhcp_server_identifier
define 224 binhex long_private
option long_private
`;

/** Its leases are in /var/lib/dhcpcd, which is the test's. `--noarp`: it does not probe. */
export class Dhcpcd extends ClientFiles {
  constructor(parent: string, machine: Machine, conf = '') {
    super(parent, machine, 'dhcpcd');
    writeFileSync(this.path('conf'), `${DHCPCD_CONF}${conf}\n`);
  }

  start(...more: string[]): Program {
    const files = ['-f', this.path('conf'), '-c', this.script];
    return this.spawn('dhcpcd', '-B', '-4', '-d', ...files, ...more, 'e0');
  }
}
