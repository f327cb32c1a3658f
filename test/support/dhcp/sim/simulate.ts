// One run: load and faults for so many steps, then everything is repaired, and every client that
// wants an address has to get one.
import { Cluster } from './cluster.ts';
import { allFaults, type FaultName, Faults } from './faults.ts';
import type { Bug } from './instance.ts';
import { goodNetwork } from './network.ts';
import { MAX_LEASE_FACTOR, type Scene } from './scene.ts';

export type RunOptions = {
  seed: number;
  steps: number;
  scene: Scene;
  faults?: readonly FaultName[];
  bug?: Bug;
  isGoodNetwork?: boolean;
  /** Ends with the first fault found. */
  isShort?: boolean;
};

export type RunResult = {
  faults: readonly string[];
  steps: number;
  virtualSeconds: number;
  acks: number;
  naks: number;
  promises: number;
  happened: ReadonlyMap<FaultName, number>;
  reasons: ReadonlyMap<string, number>;
  digest: string;
  trace: readonly string[];
};

/** Quarantine after a loss, plus what was declined, plus the patience of clients. */
const SETTLE_SECONDS = 180;
const DECLINED_SECONDS = 90;
const MAX_VIRTUAL_MS = 50_000_000;

export async function simulate(options: RunOptions): Promise<RunResult> {
  const { seed, steps, scene, bug } = options;
  const cluster = new Cluster(seed, scene, bug);
  const { world, ledger, audit } = cluster;
  const faults = new Faults(cluster, options.faults ?? allFaults);
  const isOver = () => options.isShort === true && ledger.faults.length > 0;
  if (options.isGoodNetwork) cluster.network.settings = goodNetwork;
  cluster.start();
  await world.run(40_000, isOver);
  faults.start();
  await world.run(MAX_VIRTUAL_MS, () => isOver() || world.steps >= steps);
  if (!isOver()) await recover(cluster, faults, isOver);
  return {
    faults: ledger.faults,
    steps: world.steps,
    virtualSeconds: Math.round(world.nowMs / 1000),
    acks: audit.acks,
    naks: audit.naks,
    promises: ledger.promises,
    happened: faults.counts,
    reasons: cluster.counts,
    digest: world.digest,
    trace: world.trace,
  };
}

async function recover(cluster: Cluster, faults: Faults, isOver: () => boolean): Promise<void> {
  const { world, scene } = cluster;
  world.say('*** everything is repaired');
  faults.end();
  cluster.network.settings = goodNetwork;
  for (const hostile of cluster.hostile) hostile.isActive = false;
  for (const client of cluster.clients) client.settleDown();
  const holdSeconds = 1.5 * MAX_LEASE_FACTOR * scene.leaseSeconds + 30;
  await world.run(world.nowMs + (holdSeconds + DECLINED_SECONDS + SETTLE_SECONDS) * 1000, isOver);
  if (isOver()) return;
  isServed(cluster);
  isBounded(cluster);
}

function isServed({ clients, scene, ledger, world }: Cluster): void {
  const waiting = clients.filter(({ wantsSinceMs }) => wantsSinceMs !== undefined);
  // Where there are more clients than addresses, the addresses are all in use.
  const tooMany = Math.max(0, clients.length - (scene.addresses - scene.spare));
  if (waiting.length <= tooMany) return;
  const names = waiting.map(({ identity, state, wantsSinceMs = 0 }) => {
    return `${identity.name} (${state} for ${Math.round((world.nowMs - wantsSinceMs) / 1000)} s)`;
  });
  ledger.fault(`after all faults have ended, no address for ${names.join(', ')}`);
}

/** What is kept for what has long ended does not grow. */
function isBounded({ instances, ledger, world, clients, scene }: Cluster): void {
  for (const { name, server, book } of instances) {
    const pending = server?.pending ?? { underWay: 0, waiting: 0 };
    const status = book?.status();
    const open = status === undefined ? 0 : status.commits.pending + status.reserve.offers;
    if (pending.waiting > 0 || pending.underWay > 8 || open > clients.length + 64) {
      ledger.fault(`${name} keeps ${JSON.stringify({ pending, status })}`);
    }
    if (status !== undefined && status.records > 2 * scene.addresses + 16) {
      ledger.fault(`${name} has ${status.records} records of ${scene.addresses} addresses`);
    }
  }
  const timers = 20 * instances.length + 4 * clients.length + 2 * scene.hostile + 1000;
  if (world.pending > timers) ledger.fault(`${world.pending} timers wait`);
}
