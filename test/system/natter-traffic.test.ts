// Real clients through real natters: what people do with an elastic IP, over real IP stacks.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LabNode } from '../../lab/node.ts';
import { testSum } from '../../lab/server.ts';
import { type Site, type SiteOptions, site } from '../../lab/site.ts';
import { kernel, needs, type Requirement, root, tcx } from '../support/skip.ts';

const EIP = { first: '198.51.100.1', second: '198.51.100.2', shared: '198.51.100.3' };
const MEGABYTE = 1024 * 1024;

async function build(options: SiteOptions): Promise<Site> {
  const lab = await site({ isps: 2, natters: 2, vms: 4, ...options });
  await lab.apply({
    eips: [
      { address: EIP.first, private: lab.vm(1).address },
      { address: EIP.second, private: lab.vm(2).address },
      { address: EIP.shared },
    ],
    forwards: [
      { from: `${EIP.shared}:8003/tcp`, to: `${lab.vm(3).address}:80` },
      { from: `${EIP.shared}:8100-8199/tcp`, to: `${lab.vm(4).address}:80` },
      { from: `${EIP.shared}:53/udp`, to: `${lab.vm(3).address}:7` },
    ],
  });
  await lab.converged();
  return lab;
}

async function ping(from: LabNode, to: string, ...more: string[]): Promise<string> {
  const args = ['-n', '-c', '5', '-i', '0.05', '-W', '2', ...more, to];
  return (await from.exec('ping', args, { allowFailure: true })).stdout;
}

async function get(from: LabNode, host: string): Promise<string> {
  const args = ['-sS', '--max-time', '10', `http://${host}/`];
  return (await from.exec('curl', args)).stdout.trim().replace(/ port \d+$/, '');
}

async function download(from: LabNode, host: string, bytes: number): Promise<string> {
  const script = `curl -sS --max-time 100 http://${host}/bytes/${bytes} | sha256sum`;
  return (await from.exec('sh', ['-c', script], { timeoutMs: 110_000 })).stdout.slice(0, 64);
}

/** Uploads as many bytes as given; the server answers with the checksum of what came. */
async function upload(from: LabNode, host: string, bytes: number): Promise<string> {
  const script = `head -c ${bytes} /dev/zero | curl -sS --max-time 60 -T - http://${host}/sum`;
  return (await from.exec('sh', ['-c', script], { timeoutMs: 70_000 })).stdout.trim();
}

const sumOfZeroes = (bytes: number): string =>
  createHash('sha256').update(Buffer.alloc(bytes)).digest('hex');

async function echo(from: LabNode, to: string, text: string): Promise<string> {
  const size = String(text.length);
  const args = ['-b', size, '-t', '1', '-T', '2', '-', `UDP:${to}`];
  return (await from.exec('socat', args, { input: text, allowFailure: true })).stdout;
}

const variants: { name: string; options: SiteOptions; needed?: Requirement }[] = [
  { name: 'ECMP by flow', options: {} },
  { name: 'a natter drawn per packet', options: { spray: true } },
  {
    name: 'its programs by tcx links',
    options: { natterConfig: { hook: 'tcx' } },
    needed: tcx(),
  },
  { name: 'offloads off, neighbours written down', options: { offloads: 'off', arp: 'static' } },
];

describe.each(variants)('through natters, $name', ({ options, needed }) => {
  let lab: Site;
  if (needed) beforeEach((context) => needs(context, needed));
  beforeAll(async () => {
    if (needed?.met === false) return;
    lab = await build(options);
  });
  afterAll(() => lab?.down());

  it('answers ping from every client, whole and in fragments', async () => {
    for (const client of lab.clients) {
      expect(await ping(client, EIP.first)).toMatch('5 received');
      expect(await ping(client, EIP.second, '-s', '4000')).toMatch('5 received');
    }
  });

  it('shows the natter as a hop, and the machine by its EIP', async () => {
    const args = ['-n', '-q', '1', '-w', '3', '-m', '5', EIP.first];
    const { stdout } = await lab.client(1).exec('traceroute', args);
    const hops = [...stdout.matchAll(/^ *\d+ +(\S+)/gm)].map(([, hop]) => hop);
    const uplinks = lab.natters.map(({ plan }) => plan.uplink.address);
    expect(hops).toHaveLength(3);
    expect(uplinks).toContain(hops[1]);
    expect(hops[2]).toBe(EIP.first);
  });

  it('lets clients in and machines out, each seen by the right address', async () => {
    const [client] = lab.clients;
    if (!client) throw new Error('no client');
    expect(await get(client, EIP.first)).toBe(`vm-1 saw ${client.address}`);
    expect(await get(lab.vm(2), client.address)).toBe(`${client.name} saw ${EIP.second}`);
  });

  it('forwards ports and ranges of one EIP to several machines', async () => {
    const client = lab.client(2);
    expect(await get(client, `${EIP.shared}:8003`)).toBe(`vm-3 saw ${client.address}`);
    expect(await echo(client, `${EIP.shared}:53`, 'hello')).toBe('hello');
    const { stdout } = await client.exec('curl', ['-sS', '-m', '2', `http://${EIP.shared}:8100/`]);
    expect(stdout).toMatch('vm-4 saw');
  });

  it('lets machines reach each other by their EIPs', async () => {
    expect(await get(lab.vm(1), EIP.second)).toBe(`vm-2 saw ${EIP.first}`);
    expect(await get(lab.vm(2), `${EIP.shared}:8003`)).toBe(`vm-3 saw ${EIP.second}`);
    expect(await ping(lab.vm(1), EIP.first)).toMatch('5 received');
  });

  it('carries UDP datagrams of 8 kB, which come in fragments', async () => {
    const text = 'fragment '.repeat(900);
    expect(await echo(lab.client(1), `${EIP.first}:7`, text)).toBe(text);
  });

  it('carries bulk TCP both ways without a wrong byte', async () => {
    const bytes = 64 * MEGABYTE;
    expect(await download(lab.client(1), EIP.first, bytes)).toBe(testSum(bytes));
    expect(await upload(lab.client(2), EIP.second, bytes)).toBe(sumOfZeroes(bytes));
    expect(await download(lab.client(2), `${EIP.shared}:8003`, bytes)).toBe(testSum(bytes));
  });

  it('carries iperf3, TCP and UDP', async () => {
    for (const more of [[], ['-R'], ['-u', '-b', '50M', '-l', '1200']]) {
      const server = lab.vm(1).spawn('iperf3', ['-s', '-1', '--forceflush'], { name: 'iperf3' });
      await server.ready('listens', () => server.output().includes('listening'));
      const args = ['-c', EIP.first, '-t', '1', '-J', ...more];
      const { stdout } = await lab.client(1).exec('iperf3', args, { timeoutMs: 20_000 });
      await server.stop();
      const { end } = JSON.parse(stdout); // iperf3's own report
      const rate = (end.sum_received ?? end.sum).bits_per_second;
      expect(rate, more.join(' ')).toBeGreaterThan(1e6);
    }
  });
});

describe('through natters', () => {
  let lab: Site;
  beforeAll(async () => {
    lab = await build({});
  });
  afterAll(() => lab?.down());

  it('carries 1 GiB without a wrong byte', { timeout: 240_000 }, async () => {
    const bytes = 1024 * MEGABYTE;
    expect(await download(lab.client(1), EIP.first, bytes)).toBe(testSum(bytes));
  });

  // A later fragment has no port: it follows the first, so both must come through the same natter.
  it('carries large datagrams to a forwarded port', async () => {
    const text = 'fragment '.repeat(900);
    expect(await echo(lab.client(1), `${EIP.shared}:53`, text)).toBe(text);
  });
});

describe('path MTU', () => {
  it('of the inside link is told to clients by the natter, and TCP adapts', async () => {
    await using lab = await build({ insideMtu: 1400 });
    const client = lab.client(1);
    const told = await ping(client, EIP.first, '-M', 'do', '-s', '1450');
    expect(told).toMatch(/From 192\.0\.2\.\d+ .*mtu = 1400/);
    const bytes = 8 * MEGABYTE;
    expect(await upload(client, EIP.first, bytes)).toBe(sumOfZeroes(bytes));
    const { stdout } = await client.exec('ip', ['route', 'get', EIP.first]);
    expect(stdout).toMatch('mtu 1400');
  });

  it('of a client link is told to machines through their EIP, and TCP adapts', async () => {
    await using lab = await build({ clientMtu: 1300 });
    const client = lab.client(1);
    const bytes = 8 * MEGABYTE;
    expect(await download(client, EIP.first, bytes)).toBe(testSum(bytes));
    const { stdout } = await lab.vm(1).exec('ip', ['route', 'get', client.address]);
    expect(stdout).toMatch('mtu 1300');
    // The same inside a forwarded flow: the quoted packet bears the EIP's port.
    expect(await download(client, `${EIP.shared}:8003`, bytes)).toBe(testSum(bytes));
    const forwarded = await lab.vm(3).exec('ip', ['route', 'get', client.address]);
    expect(forwarded.stdout).toMatch('mtu 1300');
  });
});

function kernelOption(name: string): boolean {
  const packed = '/proc/config.gz';
  const plain = `/boot/config-${release()}`;
  const text = existsSync(packed)
    ? gunzipSync(readFileSync(packed)).toString()
    : existsSync(plain) && readFileSync(plain, 'utf8');
  return text === false || new RegExp(`^${name}=[ym]$`, 'm').test(text);
}

describe('a VLAN uplink', () => {
  it('carries EIPs like any other', async (context) => {
    const has = kernelOption('CONFIG_VLAN_8021Q');
    needs(context, root(), kernel('8021q', has, false));
    await using lab = await build({ uplinkVlan: 100 });
    expect(await ping(lab.client(1), EIP.first)).toMatch('5 received');
    const bytes = 16 * MEGABYTE;
    expect(await download(lab.client(1), EIP.second, bytes)).toBe(testSum(bytes));
    expect(await get(lab.vm(1), EIP.second)).toBe(`vm-2 saw ${EIP.first}`);
  });
});
