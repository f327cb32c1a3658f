// A private MariaDB for tests: its own data directory, a unix socket, no network; ended by pid.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { until } from '../../lab/ready.ts';

export class TestMariaDb {
  readonly directory = mkdtempSync(join(tmpdir(), 'edge-mariadb-'));
  readonly socket = join(this.directory, 's');
  #server: ChildProcess | undefined;

  async start(): Promise<void> {
    const data = join(this.directory, 'data');
    const common = ['--no-defaults', `--datadir=${data}`, '--user=root'];
    if (this.#server === undefined) {
      const install = [...common, '--auth-root-authentication-method=normal', '--skip-test-db'];
      execFileSync('mariadb-install-db', install, { stdio: 'pipe' });
    }
    const small = ['--innodb-buffer-pool-size=16M', '--skip-networking', `--socket=${this.socket}`];
    this.#server = spawn('mariadbd', [...common, ...small], { stdio: 'ignore' });
    await until('mariadbd to answer', () => this.run('SELECT 1').then(() => true), {
      timeoutMs: 30_000,
    });
  }

  async run(...statements: string[]): Promise<void> {
    const connection = await createConnection({ socketPath: this.socket, user: 'root' });
    try {
      for (const statement of statements) await connection.query(statement);
    } finally {
      connection.destroy();
    }
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server?.exitCode !== null) return;
    server.kill('SIGTERM');
    await once(server, 'exit');
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
