// The lab itself: a topology comes up, routers follow what natters announce, and nothing stays
// behind, also when the runner is killed.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanDeadRuns, processesOf } from '../../lab/clean.ts';
import type { LabNatter } from '../../lab/natter.ts';
import { ROUTE_PROTOCOL } from '../../lab/natter.ts';
import { until } from '../../lab/ready.ts';
import { PIN_ROOT, RUNS_DIRECTORY, runOf } from '../../lab/run.ts';
import { nextHops, type Site, site } from '../../lab/site.ts';

const announcement = `blackhole 198.51.100.0/24 proto ${ROUTE_PROTOCOL}`;
const announce = (natter: LabNatter): Promise<void> => natter.ip(`route add ${announcement}`);
const withdraw = (natter: LabNatter): Promise<void> => natter.ip(`route del ${announcement}`);

// Stateless 1:1 translation by nft, in the daemon's place: the lab must stand without it.
async function translate(natter: LabNatter, eip: string, own: string): Promise<void> {
  const input = `table ip stand_in {
    chain in { type filter hook prerouting priority raw; ip daddr ${eip} ip daddr set ${own}; }
    chain out { type filter hook postrouting priority raw; ip saddr ${own} ip saddr set ${eip}; }
  }`;
  await natter.exec('nft', ['-f', '-'], { input });
}

const namespacesOf = (id: string): string[] =>
  readdirSync('/run/netns').filter((name) => runOf(name) === id);

const pinsOf = (id: string): string[] => readdirSync(PIN_ROOT).filter((name) => runOf(name) === id);

const ping = async (from: Site['tor'], to: string): Promise<number> => {
  const args = ['-c', '10', '-i', '0.05', '-W', '1', to];
  const { stdout } = await from.exec('ping', args, { allowFailure: true });
  return Number(/(\d+) received/.exec(stdout)?.[1]);
};

describe.each([{ spray: false }, { spray: true }])('a site, spray: $spray', (options) => {
  let lab: Site;

  beforeAll(async () => {
    lab = await site({ ...options, daemons: false, isps: 3, natters: 2, vms: 2 });
    for (const natter of lab.natters) {
      await translate(natter, '198.51.100.1', lab.vm(1).address);
      await announce(natter);
    }
    await lab.converged();
  });
  afterAll(() => lab?.down());

  it('lets clients of different ISPs reach each other', async () => {
    expect(await ping(lab.client('telecom'), lab.client('mobile').address)).toBe(10);
  });

  it('lets every client reach a VM through the natters, by its own address', async () => {
    for (const client of lab.clients) {
      const { stdout } = await client.exec('curl', ['-sS', '-m', '5', 'http://198.51.100.1/']);
      expect(stdout).toMatch(`vm-1 saw ${client.address} `);
    }
  });

  it('sends to the remaining natter when one withdraws, and to both again', async () => {
    await withdraw(lab.natter(1));
    await lab.converged([lab.natter(2)]);
    expect(await ping(lab.client(1), '198.51.100.1')).toBe(10);
    await announce(lab.natter(1));
    await lab.converged();
  });

  it('finds out that a natter died without a word, and takes it back', async () => {
    await lab.natter(2).powerOff();
    await lab.converged([lab.natter(1)]);
    expect(await ping(lab.client(1), '198.51.100.1')).toBe(10);
    await lab.natter(2).powerOn();
    await translate(lab.natter(2), '198.51.100.1', lab.vm(1).address);
    await announce(lab.natter(2));
    await lab.converged();
  });

  it('takes in another natter while it runs', async () => {
    const third = await lab.addNatter();
    await translate(third, '198.51.100.1', lab.vm(1).address);
    await announce(third);
    await lab.converged();
    expect(await nextHops(lab.tor, ['match', '198.51.100.1/32'])).toHaveLength(3);
    expect(await ping(lab.client(2), '198.51.100.1')).toBe(10);
  });
});

describe('spraying', () => {
  it('sends the packets of one flow through every natter', async () => {
    await using lab = await site({ spray: true, daemons: false, natters: 2, vms: 1 });
    for (const natter of lab.natters) {
      await translate(natter, '198.51.100.1', lab.vm(1).address);
      const input = `table ip count {
        counter seen {}
        chain c {
          type filter hook prerouting priority -400
          ip daddr 198.51.100.1 counter name seen
        }
      }`;
      await natter.exec('nft', ['-f', '-'], { input });
      await announce(natter);
    }
    await lab.converged();
    await lab.client(1).exec('ping', ['-c', '40', '-i', '0.01', '198.51.100.1']);
    for (const natter of lab.natters) {
      const { stdout } = await natter.exec('nft', ['list', 'counter', 'ip', 'count', 'seen']);
      expect(Number(/packets (\d+)/.exec(stdout)?.[1])).toBeGreaterThan(0);
    }
  });
});

describe('what is left behind', () => {
  it('is nothing, after down()', async () => {
    const lab = await site({ daemons: false, isps: 1, natters: 1, vms: 1 });
    const { id } = lab.run;
    expect(namespacesOf(id).length).toBeGreaterThan(0);
    await lab.down();
    expect(namespacesOf(id)).toEqual([]);
    expect(processesOf(id)).toEqual([]);
    expect(existsSync(join(RUNS_DIRECTORY, id))).toBe(false);
  });

  it('is removed by the next run when the runner was killed; a live run is untouched', async () => {
    await using live = await site({ daemons: false, isps: 1, natters: 1, vms: 1 });
    const killed = spawn(process.execPath, [join(import.meta.dirname, 'lab-runner.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const id = await firstLine(killed.stdout);
    killed.kill('SIGKILL');
    await until('the runner is gone', () => killed.exitCode !== null || killed.signalCode !== null);
    expect(namespacesOf(id).length).toBeGreaterThan(0);
    const pids = processesOf(id);
    const commands = pids.map((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim());
    expect(commands).toContain('redis-server');
    expect(pinsOf(id)).toHaveLength(1);

    await cleanDeadRuns();

    expect(namespacesOf(id)).toEqual([]);
    await until('its processes have ended', () => !pids.some((pid) => existsSync(`/proc/${pid}`)));
    expect(pinsOf(id)).toEqual([]);
    expect(existsSync(join(RUNS_DIRECTORY, id))).toBe(false);
    expect(await ping(live.client(1), '203.0.113.1')).toBe(10);
  });
});

async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: stream })) return line;
  throw new Error('the runner ended before its site stood');
}
