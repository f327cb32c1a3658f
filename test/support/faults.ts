// What may happen to a running site at any moment. Each fault strikes, and returns when the site is
// whole again. None may cost a client a connection.
import type { LabNatter } from '../../lab/natter.ts';
import { until } from '../../lab/ready.ts';
import type { Site } from '../../lab/site.ts';

export type Fault = { name: string; strike: (lab: Site, victim: LabNatter) => Promise<void> };

async function edgectl(lab: Site, ...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await lab.edgectl(...args);
  if (code !== 0) throw new Error(`edgectl ${args.join(' ')}: exit ${code}\n${stdout}${stderr}`);
}

const others = (lab: Site, victim: LabNatter): LabNatter[] =>
  lab.natters.filter((natter) => natter !== victim);

/** Every natter's own word on whether it reaches the store. */
async function storeIs(lab: Site, up: 0 | 1): Promise<void> {
  for (const natter of lab.natters) {
    await until(`${natter.name} says edge_store_up ${up}`, async () =>
      (await natter.admin('/metrics')).stdout.includes(`\nedge_store_up ${up}`),
    );
  }
}

export const FAULTS: readonly Fault[] = [
  {
    name: 'a daemon is killed, and the table changes meanwhile',
    strike: async (lab, victim) => {
      await victim.kill9();
      await edgectl(lab, 'eip', 'add', '198.51.100.200', '10.0.1.200', '--no-wait');
      await victim.start();
      await edgectl(lab, 'eip', 'del', '198.51.100.200');
    },
  },
  {
    name: 'a daemon is upgraded: stopped, started, its programs replaced in place',
    strike: (_lab, victim) => victim.restart(),
  },
  {
    name: 'a natter is drained and comes back',
    strike: async (lab, victim) => {
      await edgectl(lab, 'drain', victim.name);
      await lab.converged(others(lab, victim));
      await edgectl(lab, 'undrain', victim.name);
      await lab.converged();
    },
  },
  {
    name: 'Redis freezes, and a daemon is killed and starts without it',
    strike: async (lab, victim) => {
      lab.redis.freeze();
      await storeIs(lab, 0);
      await victim.kill9();
      await victim.start(); // from its last-good snapshot
      lab.redis.thaw();
      await storeIs(lab, 1);
    },
  },
  {
    name: 'Redis is killed and comes back',
    strike: async (lab) => {
      await lab.redis.kill();
      await storeIs(lab, 0);
      await lab.redis.start();
      await storeIs(lab, 1);
    },
  },
];
