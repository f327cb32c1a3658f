// The faults of the modelled Redis, on a manual clock: what simulations rely on it to do.
import { expect, test } from 'vitest';
import { CODE } from '../../../dhcpd/leases/types.ts';
import { ManualClock } from '../../../shared/clock.ts';
import { seededRandom } from '../../../shared/random.ts';
import { addressSource, itemOf, ran, stored } from '../../support/dhcp/lease-items.ts';
import { type ModelSettings, RedisModel } from '../../support/dhcp/redis-model.ts';

const next = addressSource();

function modelOf(settings: Partial<ModelSettings>): { model: RedisModel; clock: ManualClock } {
  const clock = new ManualClock();
  return { clock, model: new RedisModel({ clock, random: seededRandom(7), settings }) };
}

/** Runs the clock until the call ends. */
async function on<T>(clock: ManualClock, call: Promise<T>, forMs = 5000): Promise<T> {
  call.catch(() => {}); // the caller's, below
  await clock.advance(forMs);
  return call;
}

test('a failover loses what no replica had, and the block is fenced', async () => {
  const { model, clock } = modelOf({ replicas: 2, waitFor: 1, replicationMs: [1, 5] });
  const leases = model.connect();
  const address = next();
  const bind = (client: number) => ran(leases, [itemOf('bind', address, { client, seconds: 9 })]);
  expect(await on(clock, bind(2))).toMatchObject({ durable: true });
  model.stopReplication();
  const lost = next();
  const late = on(clock, ran(leases, [itemOf('bind', lost, { client: 2 })]));
  expect(await late).toMatchObject({ durable: false, results: [{ code: CODE.done }] });
  model.failover();
  model.resumeReplication();
  await expect(on(clock, bind(2))).rejects.toMatchObject({ code: 'EDGE_STORE_UNREACHABLE' });
  const fenced = await on(clock, leases.run([itemOf('bind', address, { client: 2 })]));
  if (!('fenced' in fenced)) throw new Error('not fenced');
  expect(fenced.fenced).not.toBe(await on(clock, leases.lineage()));
  expect(await on(clock, stored(leases, address))).toMatchObject({ state: 1 });
  expect(await on(clock, stored(leases, lost))).toMatchObject({ state: 0 });
});

test('a whole block that was lost is fenced for who knew it', async () => {
  const { model, clock } = modelOf({});
  const leases = model.connect();
  const address = next();
  const backup = model.backup();
  const items = [itemOf('bind', address, { client: 2 })];
  await on(clock, ran(leases, items));
  model.restart(backup);
  await expect(on(clock, leases.run(items))).rejects.toThrow();
  expect(await on(clock, leases.run(items))).toMatchObject({ fenced: '' });
  expect(await on(clock, leases.adopt([address >>> 8], '', 15))).toBe(1);
  expect(await on(clock, ran(leases, items))).toMatchObject({ results: [{ code: CODE.done }] });
});

test('an old primary that is cut off takes writes, none durable, and forgets them', async () => {
  const { model, clock } = modelOf({ replicas: 1, waitFor: 1 });
  const [here, there] = [model.connect(), model.connect()];
  const address = next();
  await on(clock, ran(here, [itemOf('bind', address, { client: 2 })]));
  model.partition([here]);
  const cut = await on(clock, ran(here, [itemOf('bind', address, { client: 2, seconds: 999 })]));
  expect(cut).toMatchObject({ durable: false, results: [{ code: CODE.done }] });
  await expect(on(clock, there.lineage())).rejects.toThrow();
  model.failover();
  const lineage = await on(clock, there.lineage());
  expect(await on(clock, here.lineage())).not.toBe(lineage);
  expect((await on(clock, stored(there, address))).holdUntil).toBeLessThan(
    (await on(clock, stored(here, address))).holdUntil,
  );
  model.heal();
  await expect(on(clock, here.lineage())).rejects.toThrow();
  expect(await on(clock, here.lineage())).toBe(lineage);
});

test('a frozen server runs what came meanwhile when it goes on', async () => {
  const { model, clock } = modelOf({ timeoutMs: 500 });
  const leases = model.connect();
  const address = next();
  await on(clock, leases.lineage());
  model.freeze();
  const hung = on(clock, ran(leases, [itemOf('bind', address, { client: 2 })]));
  await expect(hung).rejects.toMatchObject({ code: 'EDGE_STORE_TIMEOUT' });
  model.thaw();
  expect(await on(clock, stored(leases, address))).toMatchObject({ state: 1, generation: 1 });
});

test('a backup put back is an earlier state under another lineage', async () => {
  const { model, clock } = modelOf({});
  const leases = model.connect();
  const address = next();
  const bind = () => on(clock, ran(leases, [itemOf('bind', address, { client: 2 })]));
  await bind();
  const backup = model.backup();
  const lineage = await on(clock, leases.lineage());
  await bind();
  model.restart(backup);
  await expect(bind()).rejects.toMatchObject({ code: 'EDGE_STORE_UNREACHABLE' });
  expect(await on(clock, leases.lineage())).not.toBe(lineage);
  expect(await on(clock, stored(leases, address))).toMatchObject({ version: 1 });
});

test('of a call that failed it is not known whether it ran', async () => {
  const { model, clock } = modelOf({ lostCalls: 0.25, lostReplies: 0.25, delayMs: [1, 20] });
  const leases = model.connect();
  const [ends, states] = [new Set<string>(), new Set<string>()];
  for (let i = 0; i < 60; i++) {
    const address = next();
    const call = ran(leases, [itemOf('bind', address, { client: 2 })]);
    const end = await on(clock, call).then(
      () => 'done',
      () => 'failed',
    );
    ends.add(end);
    states.add(`${end} ${model.primary.data.lease(address).state}`);
  }
  expect([...ends].sort()).toEqual(['done', 'failed']);
  expect([...states].sort()).toEqual(['done 1', 'failed 0', 'failed 1']);
});
