// npm run package -- --verify: installs the package in a Debian root of its own, runs each daemon
// from there as its unit says, does one real thing with each, upgrades, removes and purges. No
// systemd is in it: what it would do before a start, this does.
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Daemon, until } from './verify-daemon.ts';
import { aptWithNetwork, Machine, makeRoot, must, removeRoot } from './verify-root.ts';
import { ADMIN, SERVICE_CASES, type ServiceCase, Site } from './verify-services.ts';

/**
 * What verify put there, what edgectl keeps in the home of who ran it, and what the install made
 * below the /run that the machine then got.
 */
const NOT_OURS = /^\/(usr\/local|var\/tmp|root\/\.cache|run)\//;

type Row = { step: string; passed: boolean; said: string };

export async function verify({ deb, dist }: { deb: string; dist: string }): Promise<number> {
  const say = (line: string): void => console.error(`verify: ${line}`);
  const startMs = performance.now();
  const rows: Row[] = [];
  const root = makeRoot(say);
  try {
    await verifyIn(root, { deb, logs: join(dist, 'verify'), rows, say });
  } finally {
    removeRoot(root);
  }
  const failed = rows.filter(({ passed }) => !passed).length;
  const width = Math.max(...rows.map(({ step }) => step.length));
  for (const { step, passed, said } of rows)
    console.log(`${passed ? 'ok    ' : 'FAILED'}  ${step.padEnd(width)}  ${said}`);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  console.log(`${rows.length - failed} passed, ${failed} failed, in ${seconds} s`);
  return failed === 0 ? 0 : 1;
}

type Given = { deb: string; logs: string; rows: Row[]; say: (line: string) => void };

async function verifyIn(root: string, { deb, logs, rows, say }: Given): Promise<void> {
  const step = async (name: string, work: () => string | Promise<string>): Promise<boolean> => {
    say(name);
    try {
      rows.push({ step: name, passed: true, said: await work() });
      return true;
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      rows.push({ step: name, passed: false, said });
      return false;
    }
  };
  const before = filesOf(root);
  const packed = `/var/tmp/${basename(deb)}`;
  mkdirSync(logs, { recursive: true });
  cpSync(deb, join(root, packed));
  if (!(await step('install', () => install(root, packed)))) return;
  const machine = new Machine(root);
  const site = new Site(machine);
  try {
    await machine.ready();
    machine.must('systemd-tmpfiles', '--create', 'edgeplane.conf');
    await site.build();
    await step('modes', () => modes(machine));
    for (const each of SERVICE_CASES) {
      if (!existsSync(join(root, `usr/lib/systemd/system/edge-${each.service}.service`))) continue;
      await step(each.service, () => runService(site, each, logs, packed));
    }
    await step('man pages', () => pages(machine));
    await step('remove', () => remove(machine));
    await step('purge', () => purge(machine, before));
  } finally {
    site.close();
    machine.close();
  }
}

function install(root: string, packed: string): string {
  aptWithNetwork(root, 'update');
  // Recommends, too: the embedded store is a redis-server.
  aptWithNetwork(root, 'install', packed);
  return 'with its dependencies, by apt';
}

function modes(machine: Machine): string {
  const stat = machine.must('stat', '-c', '%n %a %U:%G', '/etc/edge', '/run/edge', '/var/log/edge');
  const wanted = ['/etc/edge 750', '/run/edge 3770', '/var/log/edge 3770'];
  const lines = wanted.map((each) => `${each} root:edge`);
  if (stat.trim() !== lines.join('\n')) throw new Error(stat.trim().replaceAll('\n', ', '));
  return lines.join(', ');
}

/** As an operator would: look, check, start, use, upgrade under it, stop. */
async function runService(
  site: Site,
  { service, settings, prepare, site: objects, prove }: ServiceCase,
  logs: string,
  packed: string,
): Promise<string> {
  const { machine } = site;
  const name = `edge-${service}`;
  const config = `/etc/edge/${service}.yaml`;
  writeFileSync(join(machine.root, config), settings);
  machine.must('chown', 'root:edge', config);
  prepare?.(site);
  const version = machine.must(name, '--version').trim();
  machine.must(name, '--config', config, '--check-config');
  const daemon = new Daemon(machine, name, logs);
  try {
    if (objects !== undefined) await site.apply(objects);
    await until(`${name} is ready`, () => {
      if (daemon.hasEnded) throw new Error(`it ended: ${daemon.lastWords()}`);
      return machine.hostTool('curl', '-sf', '-m', '1', `http://${ADMIN}/readyz`).code === 0;
    }).catch((error: Error) => {
      throw new Error(`${error.message}: ${notReady(machine)} ${daemon.lastWords()}`);
    });
    const did = await prove(site);
    const identity = daemon.identity();
    if (service === 'natter') upgrade(machine, packed);
    const code = await daemon.stop();
    if (code !== 0) throw new Error(`SIGTERM ended it with ${code}: ${daemon.lastWords()}`);
    return `${version.split(' (')[0]}; as ${identity}; ${did}; SIGTERM: 0`;
  } catch (error) {
    if (!daemon.hasEnded) await daemon.stop();
    throw error;
  }
}

const notReady = (machine: Machine): string =>
  machine.hostTool('curl', '-s', '-m', '1', `http://${ADMIN}/readyz`).stdout.trim();

/** The data plane goes on while the package is replaced. */
function upgrade(machine: Machine, packed: string): void {
  machine.must('dpkg', '-i', packed);
  const filters = machine.hostTool('tc', 'filter', 'show', 'dev', 'up0', 'ingress').stdout;
  if (!filters.includes('pref 157')) throw new Error('an upgrade took the programs away');
}

function pages(machine: Machine): string {
  const found = machine.must(
    'sh',
    '-c',
    'ls /usr/share/man/man[18]/*edge* /usr/share/man/man1/l3*',
  );
  const count = found.trim().split('\n').length;
  if (count < 6) throw new Error(`only ${found}`);
  return `${count} installed`;
}

function remove(machine: Machine): string {
  machine.must('apt-get', '-q', '-y', 'remove', 'edgeplane');
  for (const link of ['up0', 'in0']) {
    const left = machine.hostTool('tc', 'filter', 'show', 'dev', link, 'ingress').stdout.trim();
    if (left !== '') throw new Error(`on ${link} stays ${left}`);
  }
  const pins = machine
    .must('find', '/sys/fs/bpf', '-mindepth', '1', '-not', '-name', '*.debug')
    .trim();
  if (pins !== '') throw new Error(`pinned: ${pins}`);
  const routes = machine.hostTool('ip', 'route', 'show', 'table', 'all', 'proto', '158').stdout;
  if (routes.trim() !== '') throw new Error(`routes: ${routes}`);
  return 'programs, pins and routes are gone';
}

function purge(machine: Machine, before: ReadonlySet<string>): string {
  machine.must('rm', '-r', '/etc/edge'); // what the operator, here this, had written
  const told = machine.run('apt-get', '-q', '-y', 'purge', 'edgeplane');
  const left = [...filesOf(machine.root)].filter(
    (path) => !before.has(path) && /edge/.test(path) && !NOT_OURS.test(path),
  );
  const run = machine.must('find', '/run', '-path', '*edge*', '-not', '-path', '/run/edge-verify*');
  if (left.length > 0 || run.trim() !== '')
    throw new Error(`left: ${left.join(' ')} ${run}${told.stderr}`);
  return 'no file of ours is left; the users stay';
}

/** All paths of the root's own file system. */
function filesOf(root: string): Set<string> {
  const listed = must('find', [root, '-xdev']);
  return new Set(listed.split('\n').map((path) => path.slice(root.length)));
}
