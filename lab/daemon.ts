// A node of the site that runs one of our daemons: its config file, its process, its two doors.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabNode } from './node.ts';
import type { Exit, LabProcess } from './process.ts';
import type { Run } from './run.ts';

/** What a daemon's config file says, as objects. */
export type DaemonConfig = Record<string, unknown>;

export type Service = { name: string; adminPort: number };

export abstract class LabDaemon extends LabNode {
  readonly service: Service;
  readonly configPath: string;
  readonly socketPath: string;
  /** Written to `configPath` at each start; may be changed before one. */
  config: DaemonConfig = {};
  /** Words before the daemon's command at a start, such as `env NAME=value`; they exec the rest. */
  via: readonly string[] = [];
  #daemon: LabProcess | undefined;

  constructor(run: Run, name: string, address: string, service: Service) {
    super(run, name, address);
    this.service = service;
    this.configPath = join(run.directory, `${name}.yaml`);
    this.socketPath = join(run.directory, `${name}.sock`);
  }

  get daemon(): LabProcess | undefined {
    return this.#daemon;
  }

  /** Starts the daemon, and waits until it is ready unless told not to. */
  async start(options: { wait?: boolean } = {}): Promise<void> {
    // JSON is YAML; the file is for the daemon, and stays readable.
    writeFileSync(this.configPath, `${JSON.stringify(this.config, null, 2)}\n`);
    const { name } = this.service;
    const main = join(import.meta.dirname, '..', name, 'main.ts');
    const own = [process.execPath, main, '--config', this.configPath] as const;
    const [command, ...args] = this.via.length === 0 ? own : [...this.via, ...own];
    this.#daemon = this.spawn(command ?? '', args, { name: `edge-${name}` });
    if (options.wait ?? true) await this.untilReady();
  }

  /** Waits until /readyz says yes. */
  async untilReady(timeoutMs = 40_000): Promise<void> {
    if (!this.#daemon) throw new Error(`${this.name}: its daemon was not started`);
    const asks = async (): Promise<boolean> => (await this.admin('/readyz')).code === 0;
    await this.#daemon.ready('is ready', asks, timeoutMs);
  }

  /** Asks the admin port; the code is curl's, 22 for an HTTP error. */
  admin(path: string): Promise<{ code: number; stdout: string; stderr: string }> {
    const url = `http://127.0.0.1:${this.service.adminPort}${path}`;
    return this.exec('curl', ['-sS', '--fail-with-body', '--max-time', '5', url], {
      allowFailure: true,
    });
  }

  async status(): Promise<Record<string, unknown>> {
    const { code, stdout, stderr } = await this.admin('/status.json');
    if (code !== 0) throw new Error(`${this.name}: /status.json: ${stderr}`);
    return JSON.parse(stdout) as Record<string, unknown>; // the daemon's own status document
  }

  /** SIGKILL: the daemon only; what it put into the kernel stays. */
  async kill9(): Promise<void> {
    await this.#daemon?.kill9();
  }

  /** Asks on the control socket; throws when the daemon refuses. */
  async control(method: 'GET' | 'POST', path: string): Promise<string> {
    const request = ['-X', method, '--unix-socket', this.socketPath, `http://localhost${path}`];
    const args = ['-sS', '--fail-with-body', '--max-time', '60', ...request];
    return (await this.exec('curl', args)).stdout;
  }

  /** Takes its work off it; the daemon stays. */
  async drain(): Promise<void> {
    await this.control('POST', '/drain');
  }

  async undrain(): Promise<void> {
    await this.control('POST', '/undrain');
  }

  /** SIGTERM: drains, then stops. */
  async stopDaemon(graceMs = 20_000): Promise<Exit | undefined> {
    return this.#daemon?.stop(graceMs);
  }

  /** SIGTERM, waits, starts again. */
  async restart(): Promise<void> {
    await this.stopDaemon();
    await this.start();
  }
}
