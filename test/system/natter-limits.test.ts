// Bandwidth limits with real TCP and UDP: per EIP and direction, shared by a group, and what a
// flood leaves to a slow flow. Rates are those of the wire: Ethernet frames without preamble and
// FCS.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabNode } from '../../lab/node.ts';
import { type Site, site } from '../../lab/site.ts';

/** An EIP and a machine for each measurement: those of a describe() run at the same time. */
const LIMITED = ['198.51.100.31', '198.51.100.34', '198.51.100.35'] as const;
const GROUPED = ['198.51.100.32', '198.51.100.33'] as const;
const MBIT = 1_000_000;
const UDP_PAYLOAD_BYTES = 1400;
const UDP_FRAME_BYTES = UDP_PAYLOAD_BYTES + 8 + 20 + 14;

let lab: Site;

beforeAll(async () => {
  lab = await site({ isps: 2, natters: 1, vms: 5, servers: false });
  await lab.apply({
    groups: [{ name: 'shared', in: '40mbit', out: '40mbit' }],
    eips: [
      ...LIMITED.map((address, index) => ({
        address,
        private: lab.vm(index + 1).address,
        limit: { in: '50mbit', out: '20mbit' },
      })),
      ...GROUPED.map((address, index) => ({
        address,
        private: lab.vm(index + 4).address,
        group: 'shared',
      })),
    ],
  });
  await lab.converged();
  for (const vm of lab.vms) await serve(vm);
});

afterAll(() => lab?.down());

const PORTS = [5201, 5202];

async function serve(vm: LabNode): Promise<void> {
  for (const port of PORTS) {
    const args = ['--server', '--port', String(port), '--forceflush'];
    const server = vm.spawn('iperf3', args, { name: `iperf3-${port}` });
    await server.ready('listens', () => server.output().includes('listening'));
  }
}

type Run = { address: string; client?: number; port?: number; seconds?: number; args: string[] };
// iperf3's own report, of which this is what the tests read.
type Report = {
  end: {
    sum: { bits_per_second: number; lost_percent?: number };
    sum_received?: { bits_per_second: number };
  };
};

async function iperf({ address, client = 1, port = 5201, seconds = 8, args }: Run) {
  const words = ['--json', '-c', address, '-p', String(port), '-t', String(seconds), ...args];
  const { stdout } = await lab.client(client).exec('iperf3', words, { timeoutMs: 60_000 });
  return (JSON.parse(stdout) as Report).end;
}

async function tcpBitsPerSecond(run: Omit<Run, 'args'> & { args?: string[] }): Promise<number> {
  const end = await iperf({ ...run, args: run.args ?? [] });
  return end.sum_received?.bits_per_second ?? 0;
}

/** What arrived of a UDP stream, in bits per second of the wire. */
async function udp(run: Omit<Run, 'args'>, offered: number, more: string[] = []) {
  const args = ['-u', '-b', String(offered), '-l', String(UDP_PAYLOAD_BYTES), ...more];
  const end = await iperf({ ...run, args });
  const received = end.sum_received?.bits_per_second ?? 0;
  return {
    wire: (received * UDP_FRAME_BYTES) / UDP_PAYLOAD_BYTES,
    lostPercent: end.sum.lost_percent ?? 0,
  };
}

describe('UDP', () => {
  test.concurrent.each([
    { address: LIMITED[0], direction: 'in', rate: 50 * MBIT, more: [] },
    { address: LIMITED[1], direction: 'out', rate: 20 * MBIT, more: ['-R'] },
  ])('$direction is within 3 % of its rate', async ({ address, rate, more }) => {
    const { wire } = await udp({ address }, 2 * rate, more);
    expect(wire / rate).toBeGreaterThan(0.97);
    expect(wire / rate).toBeLessThan(1.03);
  });

  test.concurrent('a group shares one rate', async () => {
    const [a, b] = await Promise.all(
      GROUPED.map((address, index) => udp({ address, client: index + 1 }, 60 * MBIT)),
    );
    const sum = ((a?.wire ?? 0) + (b?.wire ?? 0)) / (40 * MBIT);
    expect(sum).toBeGreaterThan(0.97);
    expect(sum).toBeLessThan(1.03);
    for (const one of [a, b]) expect((one?.wire ?? 0) / (40 * MBIT)).toBeGreaterThan(0.2);
  });
});

describe('TCP', () => {
  test.concurrent.each([
    { address: LIMITED[0], what: 'in', rate: 50 * MBIT, args: [] },
    { address: LIMITED[1], what: 'out', rate: 20 * MBIT, args: ['-R'] },
    { address: LIMITED[2], what: 'in, four connections', rate: 50 * MBIT, args: ['-P', '4'] },
  ])('$what has 90 to 100 % of its rate', async ({ address, rate, args }) => {
    const goodput = await tcpBitsPerSecond({ address, seconds: 10, args });
    expect(goodput / rate).toBeGreaterThan(0.9);
    expect(goodput / rate).toBeLessThan(1.0);
  });
});

test('a flood does not starve a slow flow', async () => {
  const [address] = LIMITED;
  const flood = udp({ address, port: 5202, seconds: 6 }, 200 * MBIT);
  const slow = await udp({ address, client: 2, seconds: 4 }, 1 * MBIT);
  await flood;
  expect(slow.lostPercent).toBeLessThan(1);
});
