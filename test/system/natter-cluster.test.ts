// The cluster test: long TCP transfers through natters that the routers spray per packet, while
// natters are killed, restarted, drained, joined and lost, and Redis is frozen and killed.
// No connection may be reset and no byte may differ.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Site, site } from '../../lab/site.ts';
import { FAULTS } from '../support/faults.ts';
import {
  establishedResets,
  failuresOf,
  Repeated,
  run,
  type Transfer,
} from '../support/transfers.ts';

const MB = 1_000_000;
const EIPS = ['198.51.100.11', '198.51.100.12', '198.51.100.13'] as const;
const FORWARD = '198.51.100.20:9090';

let lab: Site;

beforeAll(async () => {
  lab = await site({ isps: 2, natters: 3, vms: 4, spray: true });
  await lab.apply({
    eips: [
      ...EIPS.map((address, index) => ({ address, private: lab.vm(index + 1).address })),
      { address: '198.51.100.20' },
    ],
    forwards: [{ from: `${FORWARD}/tcp`, to: `${lab.vm(4).address}:80` }],
  });
  await lab.converged();
});

afterAll(() => lab?.down());

const transfer = (client: number, address: string, more: Partial<Transfer> = {}): Transfer => ({
  client: lab.client(client),
  address,
  direction: 'download',
  bytes: 4 * MB,
  bytesPerSecond: 4 * MB,
  ...more,
});

/** Packets that a natter has redirected, by its own metrics. */
async function forwarded(index: number): Promise<number> {
  const { stdout } = await lab.natter(index).admin('/metrics');
  const lines = stdout.split('\n').filter((line) => /_packets_total\{.*_redirected/i.test(line));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

test('no fault resets a connection or changes a byte', { timeout: 300_000 }, async () => {
  const long = [
    transfer(1, EIPS[0], { bytes: 140 * MB }),
    transfer(2, EIPS[1], { bytes: 140 * MB, direction: 'upload' }),
  ].map(run);
  const short = [
    new Repeated(transfer(1, EIPS[2])),
    new Repeated(transfer(2, EIPS[0], { direction: 'upload' })),
    new Repeated(transfer(2, FORWARD)),
  ];
  let running = true;
  const ended = Promise.all(long).finally(() => {
    running = false;
  });
  for (const [index, fault] of FAULTS.entries()) {
    await fault.strike(lab, lab.natter(1 + (index % 3)));
    expect(running, `the long transfers last longer than: ${fault.name}`).toBe(true);
  }
  await lab.addNatter();
  await lab.converged();
  const joined = await forwarded(4);
  const results = [...(await ended), ...(await Promise.all(short.map((s) => s.stop()))).flat()];
  expect(failuresOf(results)).toEqual([]);
  for (const node of [lab.client(1), lab.client(2), ...lab.vms]) {
    expect(await establishedResets(node), `resets seen by ${node.name}`).toBe(0);
  }
  expect(await forwarded(4), 'the natter that joined takes its part').toBeGreaterThan(joined);
});

test('a natter whose machine dies costs retransmissions, not connections', async () => {
  const dead = lab.natter(1);
  const transfers = EIPS.map((address) => run(transfer(1, address, { bytes: 40 * MB })));
  await dead.powerOff();
  await lab.converged(lab.natters.filter((natter) => natter !== dead));
  expect(failuresOf(await Promise.all(transfers))).toEqual([]);
  expect(await establishedResets(lab.client(1))).toBe(0);
});
