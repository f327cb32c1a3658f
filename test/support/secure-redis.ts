// A Redis as deploy/redis has it: its redis.conf and its users, over TLS, in a directory of the
// test's own and with certificates that the test makes.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { until } from '../../lab/ready.ts';

const deploy = join(import.meta.dirname, '../../deploy/redis');

export type SecureRedis = {
  directory: string;
  port: number;
  /** What a daemon or edgectl has as `store` to be this user. */
  setting(user: string): { url: string; username: string; passwordFile: string; tls: object };
  password(user: string): string;
  /** Connected as that user; the caller closes it. */
  connect(user: string): Redis;
  stop(): Promise<void>;
};

/** `more`: lines after those of deploy/redis/redis.conf. */
export async function startSecureRedis(port: number, more: string[] = []): Promise<SecureRedis> {
  const directory = mkdtempSync(join(tmpdir(), 'edge-secure-redis-'));
  makeCertificates(directory);
  execFileSync(join(deploy, 'make-users'), [directory], { stdio: 'pipe' });
  const config = readFileSync(join(deploy, 'redis.conf'), 'utf8')
    .replaceAll('/etc/edge/redis/', `${directory}/`)
    .replaceAll('/var/lib/redis', directory)
    .replace(/^tls-port .*$/m, `tls-port ${port}`);
  writeFileSync(join(directory, 'redis.conf'), [config, 'loglevel warning', ...more].join('\n'));
  const log = join(directory, 'redis.log');
  const program = ['--pdeathsig', 'KILL', 'redis-server', join(directory, 'redis.conf')];
  const child = spawn('setpriv', [...program, '--logfile', log], { stdio: 'ignore' });
  const password = (user: string) =>
    readFileSync(join(directory, `${user}.password`), 'utf8').trim();
  const connect = (username: string) => {
    const tls = { ca: readFileSync(join(directory, 'ca.crt')), servername: 'localhost' };
    const at = { host: '127.0.0.1', port, tls, username, password: password(username) };
    const redis = new Redis({ ...at, retryStrategy: () => null, disableClientInfo: true });
    redis.on('error', () => {}); // who waits for an answer hears of it
    return redis;
  };
  await until('the Redis with TLS answers', async () => {
    const redis = connect('admin');
    if (child.exitCode !== null) throw new Error(readFileSync(log, 'utf8'));
    const answer = await redis.ping().catch(() => undefined);
    redis.disconnect();
    return answer === 'PONG';
  });
  return {
    directory,
    port,
    setting: (username) => ({
      url: `rediss://127.0.0.1:${port}`,
      username,
      passwordFile: join(directory, `${username}.password`),
      tls: { caFile: join(directory, 'ca.crt'), serverName: 'localhost' },
    }),
    password,
    connect,
    stop: () => end(child, directory),
  };
}

async function end(child: ChildProcess, directory: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
  rmSync(directory, { recursive: true });
}

/** ca.crt, another.crt of an authority that nobody knows, redis.crt and redis.key of localhost. */
function makeCertificates(directory: string): void {
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  for (const name of ['ca', 'another']) {
    const files = ['-keyout', `${name}.key`, '-out', `${name}.crt`];
    openssl('req', '-x509', '-days', '2', ...key, ...files, '-subj', `/CN=test ${name}`);
  }
  openssl('req', ...key, '-keyout', 'redis.key', '-out', 'redis.csr', '-subj', '/CN=localhost');
  writeFileSync(join(directory, 'san'), 'subjectAltName=DNS:localhost');
  const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'san'];
  openssl('x509', '-req', '-in', 'redis.csr', '-days', '2', ...by, '-out', 'redis.crt');
}
