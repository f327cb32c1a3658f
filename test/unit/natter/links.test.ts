import { expect, test, vi } from 'vitest';
import { OBJECT_PATH } from '../../../natter/daemon.ts';
import { Datapath } from '../../../natter/datapath.ts';
import { Links } from '../../../natter/links.ts';
import type { Hook } from '../../../shared/links/hook.ts';
import { silentLog } from '../../../shared/log.ts';
import { FakeMachine, INSIDE, UPLINK } from '../../support/natter-fake.ts';

const capacity = { eips: 16, forwards: 16, limits: 16 };
const plan = (hook: Hook) => ({ hook, uplink: ['up0'], inside: ['in0'], insidePrefixes: [] });

/** Links of one run of the daemon, looked at. */
async function open({ bpf, host }: FakeMachine, hook: Hook): Promise<Links> {
  const pinDirectory = '/pins';
  const datapath = new Datapath({ bpf, objectPath: OBJECT_PATH, pinDirectory, capacity });
  const links = new Links({ bpf, pinDirectory, datapath, host, log: silentLog, plan: plan(hook) });
  await links.look();
  return links;
}

/** `uplink egress` and so on, by hook. */
function standing({ kernel }: FakeMachine): Record<Hook, string[]> {
  const name = ({ ifindex, direction }: { ifindex: number; direction: string }): string =>
    `${ifindex === UPLINK.ifindex ? 'uplink' : 'inside'} ${direction}`;
  const tcx = [...kernel.tcx.values()].map(name).toSorted();
  return { tc: kernel.filters.map(name).toSorted(), tcx };
}
const ALL = ['inside ingress', 'uplink egress', 'uplink ingress'];

test.each([
  ['tc', 'tcx'],
  ['tcx', 'tc'],
] as const)('from %s to %s: what is new is in before what is old goes', async (from, to) => {
  const machine = new FakeMachine();
  (await open(machine, from)).attach();
  expect(standing(machine)).toEqual({ tc: [], tcx: [], [from]: ALL });
  const { bpf, kernel } = machine;
  const count = (ifindex: number) =>
    [...kernel.filters, ...kernel.tcx.values()].filter((one) => one.ifindex === ifindex).length;
  const seen: number[][] = [];
  const see = ({ ifindex }: { ifindex: number }) => seen.push([ifindex, count(ifindex)]);
  const { detachTc, detachTcx } = bpf;
  vi.spyOn(bpf, 'detachTc').mockImplementation((at) => see(at) > 0 && detachTc(at));
  vi.spyOn(bpf, 'detachTcx').mockImplementation((at) => see(at) > 0 && detachTcx(at));
  (await open(machine, to)).attach();
  expect(standing(machine)).toEqual({ tc: [], tcx: [], [to]: ALL });
  expect(seen).toContainEqual([UPLINK.ifindex, 4]);
  expect(seen).toContainEqual([INSIDE.ifindex, 2]);
});

test('another hook in the plan moves the programs without a new run', async () => {
  const machine = new FakeMachine();
  const links = await open(machine, 'tc');
  links.attach();
  links.setPlan(plan('tcx'));
  await links.look();
  expect(links.missing).toEqual([]);
  links.attach();
  expect(standing(machine)).toEqual({ tc: [], tcx: ALL });
  expect(links.states.map(({ hook }) => hook)).toEqual(['tcx', 'tcx']);
});

test('a kernel without tcx says so, and what stands at tc stays', async () => {
  const machine = new FakeMachine();
  (await open(machine, 'tc')).attach();
  machine.kernel.hasTcx = false;
  const links = await open(machine, 'tcx');
  expect(() => links.attach()).toThrow(
    expect.objectContaining({
      code: 'EDGE_BPF_NO_TCX',
      exitCode: 78,
      remedy: expect.stringContaining('Linux 6.6'),
    }),
  );
  expect(standing(machine)).toEqual({ tc: ALL, tcx: [] });
  expect(links.missing).toEqual(['up0', 'in0']);
  links.detach();
  expect(standing(machine)).toEqual({ tc: [], tcx: [] });
});

test('a reload that asks for tcx where there is none leaves the node in service', async () => {
  const machine = new FakeMachine();
  const links = await open(machine, 'tc');
  links.attach();
  machine.kernel.hasTcx = false;
  links.setPlan(plan('tcx'));
  await links.look();
  expect(() => links.attach()).toThrow(expect.objectContaining({ code: 'EDGE_BPF_NO_TCX' }));
  expect(links.missing).toEqual([]);
  expect(standing(machine)).toEqual({ tc: ALL, tcx: [] });
});
