// What the package installs, built as a tree and run from where it stands: compiled code under the
// packed Node, with nothing of the checkout. `npm run package -- --verify` installs the real one.
import { type ChildProcess, spawn } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { releaseOf } from '../../deploy/package/release.ts';
import { buildTree } from '../../deploy/package/tree.ts';
import { execute } from '../../lab/exec.ts';
import { until } from '../../lab/ready.ts';
import { needs, program, root } from '../support/skip.ts';

/** Loopback addresses that no other test has. */
const [HERE, TARGET] = ['127.77.0.1', '127.77.0.2'];
const checkout = resolve('.');
const scratch = mkdtempSync(join(tmpdir(), 'edge-package-'));
const tree = join(scratch, 'tree');
const bin = (name: string): string => join(tree, 'usr/bin', name);
const daemons: ChildProcess[] = [];
const release = releaseOf(checkout, process.env);

beforeAll(() => buildTree(checkout, tree, release));

afterAll(async () => {
  for (const daemon of daemons) {
    if (daemon.exitCode !== null || daemon.signalCode !== null) continue;
    daemon.kill('SIGKILL');
    await once(daemon, 'exit');
  }
  rmSync(scratch, { recursive: true });
});

describe('the tree', () => {
  const listed = (pattern: string): string[] => globSync(pattern, { cwd: tree });

  it('has programs, objects, scripts, units, pages, and no source', () => {
    for (const path of [
      'usr/bin/l3addnet',
      'usr/lib/edgeplane/natter/bpf/natter.bpf.o',
      'usr/lib/edgeplane/lb/l4/bpf/lb.bpf.o',
      'usr/lib/edgeplane/lb/worker/main.js',
      'usr/lib/edgeplane/dhcpd/lua/leases.lua',
      'usr/lib/edgeplane/node_modules/cap/build/Release/cap.node',
      'usr/lib/systemd/system/edge-lb.service',
      'usr/lib/sysusers.d/edgeplane.conf',
      'usr/lib/tmpfiles.d/edgeplane.conf',
      'usr/share/bash-completion/completions/edgectl',
      'usr/share/doc/edgeplane/examples/natter.yaml',
      'usr/share/man/man1/edgectl.1.gz',
      'usr/share/man/man8/edge-dns.8.gz',
    ])
      expect(existsSync(join(tree, path)), path).toBe(true);
    expect(listed('usr/**/*.{ts,c,h,cc,map}')).toEqual([]);
    expect(listed('usr/lib/edgeplane/{lab,test,deploy}')).toEqual([]);
    expect(listed('usr/lib/edgeplane/node_modules/{vitest,typescript,node-linux-*}')).toEqual([]);
    expect(existsSync(join(tree, 'etc'))).toBe(false);
  });

  it('has the date of the commit on every file', () => {
    const dates = listed('usr/**').map((path) => statSync(join(tree, path)).mtimeMs / 1000);
    expect([...new Set(dates)]).toEqual([release.epoch]);
  });
});

const services = ['natter', 'dhcpd', 'dns', 'lb', 'console'];

describe.each(services.filter((name) => existsSync(`${name}/main.ts`)))('edge-%s', (service) => {
  it('says its version', async () => {
    const { stdout } = await execute(bin(`edge-${service}`), ['--version']);
    expect(stdout).toMatch(`edge-${service} ${release.version} (Node v24.`);
  });

  it('takes the example of its settings', async () => {
    const file = join(tree, 'usr/share/doc/edgeplane/examples', `${service}.yaml`);
    const { stderr } = await execute(bin(`edge-${service}`), ['--config', file, '--check-config'], {
      allowFailure: true,
    });
    // Files that an example names are the operator's to make.
    expect(stderr.replace(/.*(ENOENT|no such file).*\n/gi, '')).toBe('');
  });
});

it('edgectl says its version', async () => {
  expect((await execute(bin('edgectl'), ['version'])).stdout).toMatch(release.version);
});

/** Starts it, applies the objects without which it is not ready, and waits until it is. */
async function start(service: string, settings: object, site: object): Promise<void> {
  const state = join(scratch, service);
  mkdirSync(state);
  const config = join(scratch, `${service}.yaml`);
  const port = service === 'dns' ? 9103 : 9104;
  const common = {
    store: 'embedded',
    stateDirectory: state,
    admin: { listen: `${HERE}:${port}` },
    control: { socket: join(scratch, `${service}.sock`) },
  };
  writeFileSync(config, JSON.stringify({ ...common, ...settings }));
  const daemon = spawn(bin(`edge-${service}`), ['--config', config], { stdio: 'ignore' });
  daemons.push(daemon);
  const store = join(state, 'redis.sock');
  await until('the store of its own', () => existsSync(store), { timeoutMs: 30_000 });
  const file = join(scratch, 'site.yaml');
  writeFileSync(file, JSON.stringify(site));
  const apply = ['apply', '-f', file, '--store', `unix:${store}`, '--no-wait'];
  await execute(bin('edgectl'), apply);
  const isReady = async () => {
    if (daemon.exitCode !== null) throw new Error(`it ended with ${daemon.exitCode}`);
    return (await fetch(`http://${HERE}:${port}/readyz`).catch(() => undefined))?.ok;
  };
  await until(`edge-${service} to be ready`, isReady, { timeoutMs: 60_000 });
}

async function stop(daemon: ChildProcess | undefined): Promise<number | null> {
  const ended = once(daemon as ChildProcess, 'exit');
  daemon?.kill('SIGTERM');
  return (await ended)[0];
}

it('edge-dns answers, its workers and its builder being compiled threads', async (context) => {
  needs(context, root(), program('redis-server'));
  const soa = { primary: 'ns1.example.com', mail: 'hostmaster.example.com' };
  const site = {
    zones: [{ zone: 'example.com', soa }],
    records: [
      { name: 'example.com', type: 'NS', data: ['ns1.example.com'] },
      { name: 'ns1.example.com', type: 'A', data: ['192.0.2.1'] },
    ],
  };
  await start('dns', { listen: [`${HERE}:5300`] }, site);
  const resolver = new Resolver();
  resolver.setServers([`${HERE}:5300`]);
  // Ready with what it had; the builder's thread brings the zone.
  const answer = () => resolver.resolve4('ns1.example.com').catch(() => undefined);
  expect(await until('an answer', answer, { timeoutMs: 30_000 })).toEqual(['192.0.2.1']);
  expect(await stop(daemons.at(-1))).toBe(0);
});

it('edge-lb serves, its workers being compiled processes', async (context) => {
  needs(context, root(), program('redis-server'));
  const target: Server = createServer((_, response) => void response.end('from the target'));
  target.listen(8080, TARGET);
  await once(target, 'listening');
  try {
    const site = {
      listeners: [{ name: 'web', at: [`${HERE}:8080`], protocol: 'http' }],
      routes: [{ name: 'all', listeners: 'web', pool: 'targets' }],
      pools: [{ name: 'targets', targets: [`${TARGET}:8080`] }],
    };
    await start('lb', { workers: 1, drain: { delay: '0s', timeout: '2s' } }, site);
    expect(await (await fetch(`http://${HERE}:8080/`)).text()).toBe('from the target');
    expect(await stop(daemons.at(-1))).toBe(0);
  } finally {
    target.close();
  }
});
