// natter's programs by tcx links, in the real daemon: what outlives it, what it puts back, and that
// a change of hook loses no packet and translates none twice.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { until } from '../../lab/ready.ts';
import { createBpf } from '../../shared/bpf/kernel.ts';
import { NatterRig } from '../support/natter-rig.ts';
import { ip } from '../support/network-namespace.ts';
import { needs, program, root, tcx } from '../support/skip.ts';

const EIP = '198.51.100.7';
const rig = new NatterRig();
const bpf = createBpf();
const isRoot = root().met;

const pins = () => join(rig.pins, 'tcx');
const pinned = () => (existsSync(pins()) ? readdirSync(pins()).toSorted() : []);
const filters = () =>
  ['up0', 'in0']
    .flatMap((link) => ['ingress', 'egress'].map((side) => `dev ${link} ${side}`))
    .map((where) => rig.tc(`filter show ${where}`))
    .join('');
const ifindexOf = (link: string): number => JSON.parse(ip(`-j link show ${link}`))[0].ifindex;
const place = (link: string, direction: 'ingress' | 'egress') => {
  const ifindex = ifindexOf(link);
  return { ifindex, direction, pin: join(pins(), `${ifindex}-${direction}`) };
};
const places = () => [place('in0', 'ingress'), place('up0', 'egress'), place('up0', 'ingress')];
const names = () =>
  places()
    .map(({ pin }) => basename(pin))
    .toSorted();
/** What really stands at the links of this network namespace. */
const programs = () => places().map((one) => bpf.queryTcx(one)?.programId);

beforeAll(async () => {
  if (!isRoot) return;
  await rig.up();
  rig.config.hook = 'tcx';
});
beforeEach((context) => {
  needs(context, root(), tcx(), program('redis-server'), program('bpftool'));
});
afterAll(() => rig.down());

/** Pings all the while: none is lost, and each is metered once a way, the last one included. */
async function underPing(work: () => Promise<unknown>): Promise<void> {
  const before = await rig.meter(EIP);
  const stopPing = rig.pingOn(EIP);
  await work();
  const { sent, lost } = await stopPing();
  expect(lost).toBe(0);
  const metered = async () => {
    const after = await rig.meter(EIP);
    return [after.inPackets - before.inPackets, after.outPackets - before.outPackets];
  };
  await expect.poll(metered, { timeout: 5000 }).toEqual([sent, sent]);
}

/** Changes the configuration without a restart. */
async function reloadHook(hook: 'tc' | 'tcx'): Promise<void> {
  rig.config.hook = hook;
  rig.writeConfig();
  rig.daemon?.kill('SIGHUP');
  await until(
    `all programs at ${hook} only`,
    () => {
      const [here, gone] =
        hook === 'tcx'
          ? [pinned().length === 3, filters() === '']
          : [filters() !== '', pinned().length === 0];
      return here && gone;
    },
    { timeoutMs: 10_000 },
  );
}

test('an EIP is reached by tcx links, and tc has no filter', async () => {
  await rig.start();
  await rig.apply([{ kind: 'eip', id: EIP, value: '{"private":"10.0.0.5"}' }]);
  expect(rig.ping(EIP)).toBe(0);
  expect(pinned()).toEqual(names());
  expect(filters()).toBe('');
  const flow = { source: '192.0.2.2', destination: EIP, protocol: 6, destinationPort: 443 };
  const { steps } = (await rig.control('POST', '/explain', flow)) as { steps: string[] };
  expect(steps[0]).toContain('natter_uplink runs at tcx');
  expect(await rig.status()).toMatchObject({ links: [{ hook: 'tcx' }, { hook: 'tcx' }] });
});

test('stopped and started: no packet is lost, the links change their programs', async () => {
  const before = programs();
  await underPing(async () => {
    expect(await rig.end('SIGTERM')).toBe(0);
    expect(pinned()).toEqual(names());
    await rig.start();
  });
  const after = programs();
  expect(after).not.toContain(undefined);
  expect(after.filter((id) => before.includes(id))).toEqual([]);
});

test('another hook by reload, there and back, loses no packet', async () => {
  await underPing(async () => {
    await reloadHook('tc');
    await reloadHook('tcx');
    await reloadHook('tc');
    await reloadHook('tcx');
  });
});

test.each([
  ['', 2048],
  [', after a start that came no further than to set the old maps aside', 512],
])('started with another capacity%s, it loses no packet', async (cutShort, eips) => {
  const before = programs();
  await underPing(async () => {
    await rig.end('SIGKILL');
    if (cutShort !== '') renameSync(rig.pins, `${rig.pins}-before`);
    rig.config.capacity = { eips, forwards: 256, limits: 256 };
    await rig.start();
  });
  expect(pinned()).toEqual(names());
  expect(programs().filter((id) => id === undefined || before.includes(id))).toEqual([]);
  expect(readdirSync(dirname(rig.pins))).toEqual(['natter']);
});

test.each(['tc', 'tcx'] as const)('started anew at %s, it loses no packet', async (hook) => {
  await underPing(async () => {
    await rig.end('SIGKILL');
    rig.config.hook = hook;
    await rig.start();
  });
  expect(pinned()).toEqual(hook === 'tcx' ? names() : []);
  expect(filters() === '').toBe(hook === 'tcx');
});

test.each([
  ['is detached', (pin: string) => execFileSync('bpftool', ['link', 'detach', 'pinned', pin])],
  ['loses its pin', (pin: string) => rmSync(pin)],
])('a link that %s is put back', async (_how, take) => {
  const at = place('up0', 'ingress');
  const stands = () => bpf.queryTcx(at) !== undefined;
  take(at.pin);
  expect(stands()).toBe(false);
  await until('the link', stands, { timeoutMs: 10_000 });
  expect(rig.ping(EIP)).toBe(0);
  await until('it is told', async () => rig.logText().includes('link-filter-replaced'));
});

test('an interface that comes back has its links again, and old pins are gone', async () => {
  ip('link del up0');
  await until('the withdrawal', async () => (await rig.readyz()) === 503, { timeoutMs: 10_000 });
  rig.makeUplink();
  await until('readiness', async () => (await rig.readyz()) === 200, { timeoutMs: 10_000 });
  expect(rig.ping(EIP)).toBe(0);
  expect(pinned()).toEqual(names());
});

test('--detach takes links and filters', async () => {
  await rig.end('SIGTERM');
  expect(await rig.run('--detach')).toEqual({ code: 0, text: '' });
  expect(existsSync(rig.pins)).toBe(false);
  expect(filters()).toBe('');
  expect(programs()).toEqual([undefined, undefined, undefined]);
  expect(rig.ping(EIP, 1)).toBe(1);
});
