// `npm start -- --host`: the services on this machine itself, as a first try. Loopback only, unless
// a link is named; one private store; all files in one directory.
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '../../shared/clock.ts';
import { silentLog } from '../../shared/log.ts';
import { systemRandom } from '../../shared/random.ts';
import { type EmbeddedServer, startEmbedded } from '../../shared/store/embedded.ts';
import { execute } from '../exec.ts';
import type { HostStart } from '../options.ts';
import type { Outcome } from '../story/step.ts';
import { row, type Style } from '../story/table.ts';
import { HostDaemon } from './daemon.ts';
import { makeDirectory } from './directory.ts';
import { type HostPlan, servicesOf, settingsFile, settingsOf, siteOf, WWW } from './settings.ts';

const EDGECTL = join(import.meta.dirname, '..', '..', 'shared', 'ctl', 'main.ts');
const ADMIN = { natter: 9101, dhcpd: 9102, dns: 9103, lb: 9104, console: 9105 };

/** The one that is wanted, or any that is free, for TCP on loopback. */
async function portFor(wanted: number): Promise<number> {
  const server = createServer();
  const listening = (port: number): Promise<boolean> =>
    new Promise((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
  if (!(await listening(wanted))) await listening(0);
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return address !== null && typeof address === 'object' ? address.port : wanted;
}

async function planHost(start: HostStart): Promise<HostPlan> {
  const admin: Record<string, number> = {};
  for (const [service, port] of Object.entries(ADMIN)) admin[service] = await portFor(port);
  return {
    directory: start.directory,
    storeUrl: `unix:${join(start.directory, 'store', 'redis.sock')}`,
    ports: {
      dns: await portFor(5300),
      lb: await portFor(8080),
      console: await portFor(9180),
      admin,
    },
    ...(start.interface === undefined ? {} : { link: start.interface }),
  };
}

/** Exit code: 0 when all that was asked answered; 1; or 130 when it was told to end before. */
export async function startHost(
  start: HostStart,
  style: Style,
  signal: AbortSignal,
): Promise<number> {
  const plan = await planHost(start);
  if (plan.link !== undefined) await execute('ip', ['link', 'show', 'dev', plan.link]);
  makeDirectory(plan.directory);
  console.log(`settings, state and logs: ${plan.directory}${start.keep ? '' : ' (until the end)'}`);
  const daemons: HostDaemon[] = [];
  let store: EmbeddedServer | undefined;
  let failed: number | undefined;
  try {
    store = await openStore(plan);
    await startDaemons(plan, daemons, signal);
    failed = await check(plan, style, signal);
    console.log(failed === 0 ? '\nall ok' : `\n${failed} failed: see the logs in the directory`);
    if (!start.once) await stay(plan, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    console.log('ending …');
    await end(plan, daemons, store).finally(() => {
      if (!start.keep) rmSync(plan.directory, { recursive: true, force: true });
    });
  }
  if (failed === undefined) return 130;
  return failed === 0 ? 0 : 1;
}

async function end(plan: HostPlan, daemons: HostDaemon[], store?: EmbeddedServer): Promise<void> {
  await Promise.all(daemons.map((daemon) => daemon.stop()));
  try {
    if (daemons.some(({ service }) => service === 'natter')) await detach(plan);
  } finally {
    await store?.stop();
  }
}

const openStore = (plan: HostPlan): Promise<EmbeddedServer> =>
  startEmbedded({
    stateDirectory: join(plan.directory, 'store'),
    owner: process,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    syncsEveryWrite: true, // dhcpd makes promises
  });

async function startDaemons(
  plan: HostPlan,
  daemons: HostDaemon[],
  signal: AbortSignal,
): Promise<void> {
  const services = servicesOf(plan);
  writeFileSync(join(plan.directory, 'lb.secret'), randomBytes(32).toString('hex'), {
    mode: 0o600,
  });
  for (const service of services) {
    writeFileSync(settingsFile(plan.directory, service), settingsOf(plan, service));
  }
  const site = join(plan.directory, 'site.yaml');
  writeFileSync(site, `${JSON.stringify(siteOf(plan), null, 2)}\n`);
  console.log(`edgectl apply -f ${site}`);
  await edgectl(plan, signal, 'apply', '-f', site, '--no-wait');
  console.log(`starting: ${services.join(', ')}`);
  for (const service of services) {
    signal.throwIfAborted();
    daemons.push(new HostDaemon(plan.directory, service, plan.ports.admin[service] ?? 0));
  }
  await Promise.all(daemons.map((daemon) => daemon.untilReady(signal)));
}

const edgectl = (plan: HostPlan, signal: AbortSignal, ...args: string[]) =>
  execute(process.execPath, [EDGECTL, '--store', plan.storeUrl, ...args], { signal });

/** What the daemon leaves in the kernel on purpose. */
async function detach({ directory }: HostPlan): Promise<void> {
  const main = join(import.meta.dirname, '..', '..', 'natter', 'main.ts');
  await execute(process.execPath, [
    main,
    '--detach',
    '--config',
    settingsFile(directory, 'natter'),
  ]);
}

type HostCheck = { what: string; command: string; args: string[]; expected: RegExp };

function checks({ ports, storeUrl }: HostPlan): HostCheck[] {
  const kdig = ['@127.0.0.1', '-p', `${ports.dns}`, '+short'];
  const web = `http://127.0.0.1:${ports.lb}/`;
  const old = ['-sS', '-H', 'Host: old.example.com', web];
  const page = `http://127.0.0.1:${ports.console}/`;
  const edge = [EDGECTL, '--store', storeUrl, 'status'];
  return [
    {
      what: 'dns',
      command: 'kdig',
      args: [...kdig, 'example.com', 'MX'],
      expected: /mx1\.example/,
    },
    {
      what: 'dns, by line',
      command: 'kdig',
      args: [...kdig, WWW, '+subnet=59.43.1.0/24'],
      expected: /192\.0\.2\.10/,
    },
    { what: 'lb, its own answer', command: 'curl', args: old, expected: /shop has moved/ },
    { what: 'lb, to the console', command: 'curl', args: ['-sS', web], expected: /<html/i },
    { what: 'console', command: 'curl', args: ['-sS', page], expected: /<html/i },
    { what: 'edgectl', command: process.execPath, args: edge, expected: /dns/ },
  ];
}

const shown = ({ command, args }: HostCheck): string =>
  command === process.execPath
    ? `edgectl ${args.slice(1).join(' ')}`
    : [command, ...args].map((word) => (/[ ]/.test(word) ? `'${word}'` : word)).join(' ');

async function ask({ command, args, expected }: HostCheck, signal: AbortSignal): Promise<Outcome> {
  const { stdout, stderr } = await execute(command, args, { allowFailure: true, signal });
  const ok = expected.test(stdout);
  const said = stdout.split('\n').find((line) => expected.test(line)) ?? (stderr || stdout);
  return { ok, result: said.trim() || 'no answer' };
}

/** Asks each as a user would; how many did not answer as they should. */
async function check(plan: HostPlan, style: Style, signal: AbortSignal): Promise<number> {
  let failed = 0;
  console.log('');
  for (const each of checks(plan)) {
    const outcome = await ask(each, signal);
    console.log(row(style, { what: each.what, path: where(plan, each.what), ...outcome }));
    if (!outcome.ok) failed++;
  }
  return failed;
}

function where({ ports }: HostPlan, what: string): string {
  if (what.startsWith('dns')) return `127.0.0.1:${ports.dns}`;
  if (what.startsWith('lb')) return `127.0.0.1:${ports.lb}`;
  return what === 'console' ? `127.0.0.1:${ports.console}` : 'the store';
}

async function stay(plan: HostPlan, signal: AbortSignal): Promise<void> {
  const { ports } = plan;
  console.log(`\nconsole   http://127.0.0.1:${ports.console}/`);
  for (const service of servicesOf(plan)) {
    console.log(`${service.padEnd(9)} http://127.0.0.1:${ports.admin[service]}/status`);
  }
  console.log('');
  for (const each of checks(plan))
    console.log(`try  ${shown(each).replace(/^edgectl/, 'deploy/bin/edgectl')}`);
  console.log('\nCtrl-C ends it.');
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
}
