// Machines for tests with DHCP clients, servers and relays: network namespaces, each held by a
// process, on bridges of the test's own. All of it ends with the test's process.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { execute, type Result } from '../../../lab/exec.ts';
import { until } from '../../../lab/ready.ts';
import { ip, NetworkNamespace } from '../network-namespace.ts';

/** In the namespace of the test itself. */
export function addBridge(name: string, ...addresses: string[]): void {
  // Without multicast snooping and its queries: a bridge that forwards at once, and is quiet.
  ip(`link add ${name} type bridge mcast_snooping 0 forward_delay 0`);
  for (const address of addresses) ip(`address add ${address} dev ${name}`);
  ip(`link set ${name} up`);
}

/** A long-running program in a machine; its output goes to a file. */
export class Program {
  readonly child: ChildProcess;
  readonly #logPath: string;
  readonly #logStart: number;

  /** `logStart`: what an earlier program wrote comes before. */
  constructor(child: ChildProcess, logPath: string, logStart: number) {
    this.child = child;
    this.#logPath = logPath;
    this.#logStart = logStart;
  }

  get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  output(): string {
    return readFileSync(this.#logPath).subarray(this.#logStart).toString();
  }

  /** Sends the signal, and waits until it is gone. */
  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    if (!this.ended) {
      const exited = once(this.child, 'exit');
      this.child.kill('SIGCONT');
      this.child.kill(signal);
      await exited;
    }
    return this.child.exitCode;
  }

  /** Resolves when the output says so; fails at once when the program has ended. */
  async says(pattern: RegExp, timeoutMs = 15_000): Promise<RegExpExecArray> {
    const stop = new AbortController();
    return await until(
      `it says ${pattern}`,
      () => {
        const found = pattern.exec(this.output());
        if (!found && this.ended) stop.abort(new Error(`it ended: ${this.output()}`));
        return found ?? undefined;
      },
      { timeoutMs, signal: stop.signal },
    );
  }
}

export class Machine extends NetworkNamespace {
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }

  /** Machines that are there and have a loopback. */
  static async make(...names: string[]): Promise<Machine[]> {
    const machines = names.map((name) => new Machine(name));
    await Promise.all(machines.map((machine) => machine.ready()));
    return machines;
  }

  override async ready(): Promise<void> {
    await super.ready();
    await this.ip('link set lo up');
  }

  /** One more link of this machine, on a bridge of the test's namespace. */
  async plug(bridge: string, link = 'e0', more: { mac?: string; addresses?: string[] } = {}) {
    const port = `${this.name}-${link}`;
    const mac = more.mac === undefined ? '' : ` address ${more.mac}`;
    ip(`link add ${port} type veth peer name ${link} netns ${this.pid}${mac}`);
    ip(`link set ${port} master ${bridge} up`);
    await this.ip(
      ...(more.addresses ?? []).map((address) => `address add ${address} dev ${link}`),
      `link set ${link} up`,
    );
  }

  /** Lines of `ip`, all of which have to succeed. */
  async ip(...lines: string[]): Promise<void> {
    const [command, args] = this.inside('ip', ['-batch', '-']);
    await execute(command, args, { input: `${lines.join('\n')}\n` });
  }

  run(command: string, ...args: string[]): Promise<Result> {
    return execute(...this.inside(command, args), { allowFailure: true, timeoutMs: 60_000 });
  }

  spawn(logPath: string, command: string, ...args: string[]): Program {
    const inside = this.inside('setpriv', ['--pdeathsig', 'KILL', command, ...args]);
    const log = openSync(logPath, 'a');
    const { size } = fstatSync(log);
    const child = spawn(inside[0], inside[1], { stdio: ['ignore', log, log] });
    closeSync(log);
    return new Program(child, logPath, size);
  }

  async addresses(link = 'e0'): Promise<string[]> {
    const { stdout } = await this.run('ip', '-4', '-o', 'address', 'show', 'dev', link);
    return [...stdout.matchAll(/inet (\S+?)(?:\/\d+)? /g)].map(([, address]) => address ?? '');
  }

  async mac(link = 'e0'): Promise<string> {
    const { stdout } = await this.run('ip', '-j', 'link', 'show', link);
    return (JSON.parse(stdout) as [{ address: string }])[0].address; // iproute2's own
  }
}
