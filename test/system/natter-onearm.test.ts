// The README's appliance: one natter on one interface with a private Redis. EIPs lie on the link,
// so it answers ARP for them; VMs on the same wire use it as their gateway.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cleanDeadRuns, removeRun } from '../../lab/clean.ts';
import type { Result } from '../../lab/exec.ts';
import { configure, connect, createNodes, type Link } from '../../lab/netns.ts';
import { LabNode } from '../../lab/node.ts';
import type { LabProcess } from '../../lab/process.ts';
import { until } from '../../lab/ready.ts';
import { instanceName, newRun, type Run } from '../../lab/run.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const EIPS = ['198.51.100.7', '198.51.100.8'] as const;

let run: Run;
let client: LabNode;
let appliance: LabNode;
let vms: LabNode[];
let daemon: LabProcess;

const link = (node: string, index: number, ...addresses: string[]): Link => ({
  ends: [
    { node, name: 'eth0', mac: `02:ed:01:00:00:0${index}`, addresses },
    { node: 'wire', name: `port${index}`, mac: `06:ed:01:00:00:0${index}`, bridge: 'lan' },
  ],
});

/** The example as it is, and what keeps this run apart from the machine's own natter. */
function config(): string {
  const example = readFileSync(join(ROOT, 'deploy/examples/natter-one-arm.yaml'), 'utf8');
  const own = {
    instance: instanceName(run, 'n1'),
    stateDirectory: join(run.directory, 'state'),
    control: { socket: join(run.directory, 'natter.sock') },
    capacity: { eips: 1024, forwards: 1024, limits: 64 },
  };
  const lines = Object.entries(own).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return `${example}\n${lines.join('\n')}\n`;
}

const edgectl = (...args: string[]): Promise<Result> => {
  const store = `unix:${join(run.directory, 'state', 'redis.sock')}`;
  const env = { EDGE_STORE: store };
  return appliance.exec(join(ROOT, 'deploy/bin/edgectl'), args, { env });
};

const get = async (from: LabNode, host: string): Promise<string> => {
  const { stdout } = await from.exec('curl', ['-sS', '--max-time', '5', `http://${host}/`]);
  return stdout.trim().replace(/ port \d+$/, '');
};

beforeAll(async () => {
  await cleanDeadRuns();
  run = newRun();
  await createNodes(run, ['wire', 'client', 'appliance', 'vm-1', 'vm-2']);
  await configure(run, 'wire', ['link add name lan type bridge stp_state 0', 'link set lan up']);
  await connect(run, [
    link('client', 1, '198.51.100.100/24'),
    link('appliance', 2, '198.51.100.99/24', '10.0.0.1/24'),
    link('vm-1', 3, '10.0.0.5/24'),
    link('vm-2', 4, '10.0.0.6/24'),
  ]);
  client = new LabNode(run, 'client', '198.51.100.100');
  appliance = new LabNode(run, 'appliance');
  vms = ['vm-1', 'vm-2'].map((name) => new LabNode(run, name));
  await Promise.all(vms.map((vm) => vm.ip('route add default via 10.0.0.1')));
  for (const node of [client, ...vms]) {
    const args = [join(ROOT, 'lab', 'server.ts'), node.name];
    const server = node.spawn(process.execPath, args, { name: 'server' });
    await server.ready('listens', () => server.output().includes('listening'));
  }
  const file = join(run.directory, 'natter.yaml');
  writeFileSync(file, config());
  daemon = appliance.spawn(join(ROOT, 'deploy/bin/edge-natter'), ['--config', file]);
  const readyz = ['-sf', 'http://127.0.0.1:9101/readyz'];
  const asks = async (): Promise<boolean> =>
    (await appliance.exec('curl', readyz, { allowFailure: true })).code === 0;
  await daemon.ready('is ready', asks, 30_000);
  await edgectl('eip', 'add', EIPS[0], '10.0.0.5');
  await edgectl('eip', 'add', EIPS[1], '10.0.0.6');
});

afterAll(async () => {
  if (run) await removeRun(run.id);
});

it('answers ARP for EIPs, and carries traffic in', async () => {
  expect(await get(client, EIPS[0])).toBe('vm-1 saw 198.51.100.100');
  expect(await get(client, EIPS[1])).toBe('vm-2 saw 198.51.100.100');
});

it('carries traffic out by the EIP', async () => {
  expect(await get(new LabNode(run, 'vm-1'), '198.51.100.100')).toBe(`client saw ${EIPS[0]}`);
});

it('lets VMs reach each other by their EIPs', async () => {
  expect(await get(new LabNode(run, 'vm-1'), EIPS[1])).toBe(`vm-2 saw ${EIPS[0]}`);
});

it('leaves VMs alone among themselves', async () => {
  expect(await get(new LabNode(run, 'vm-1'), '10.0.0.6')).toBe('vm-2 saw 10.0.0.5');
});

it('moves its routes to a table that is not there yet, and then answers ARP no more', async () => {
  const proxied = async (): Promise<string[]> => {
    const { stdout } = await appliance.exec('ip', ['neighbour', 'show', 'proxy']);
    return stdout.split('\n').flatMap((line) => line.split(' ').slice(0, 1).filter(Boolean));
  };
  const reload = (...lines: string[]): void => {
    const kept = config().replace(/^arp:.*$/m, '');
    writeFileSync(join(run.directory, 'natter.yaml'), `${kept}${lines.join('\n')}\n`);
    process.kill(daemon.pid, 'SIGHUP');
  };
  await appliance.ip('neighbour add proxy 198.51.100.200 dev eth0'); // an operator's own
  const announce = 'announce: { prefixes: [198.51.100.0/28], table: 100 }';
  reload('arp: true', announce);
  await until('the routes are in table 100', async () => {
    const shown = ['-4', 'route', 'show', 'table', '100', 'proto', '157'];
    const { stdout } = await appliance.exec('ip', shown, { allowFailure: true });
    return stdout.includes('unreachable 198.51.100.0/28') && stdout.includes(`${EIPS[1]} dev lo`);
  });
  expect((await proxied()).sort()).toEqual(['198.51.100.200', ...EIPS]);
  reload('arp: false', announce);
  await until('only the operator proxies', async () => (await proxied()).length === 1);
  expect(await proxied()).toEqual(['198.51.100.200']);
});

it('stops when it is told to', async () => {
  expect(await daemon.stop(30_000)).toEqual({ code: 0, signal: null });
});
