// A natter without a kernel and without a host: for simulations of many in one process.

import { OBJECT_PATH } from '../../natter/daemon.ts';
import { Datapath } from '../../natter/datapath.ts';
import { REASONS } from '../../natter/mapping/types.ts';
import type { Capacity, TableState } from '../../natter/state.ts';
import {
  createFakeBpf,
  createFakeKernel,
  type FakeContext,
  type FakeKernel,
} from '../../shared/bpf/fake.ts';
import type { Bpf } from '../../shared/bpf/types.ts';
import type { Host, HostLink } from '../../shared/links/host.ts';
import { flowFrame, readFlow } from '../../shared/net/frames.ts';
import { findMapping } from './find-mapping.ts';

export const UPLINK: HostLink = {
  name: 'up0',
  ifindex: 2,
  mac: 0x02_00_00_00_00_02,
  up: true,
  addresses: [{ address: 0xc0000201 + 8, bits: 24 }],
};
export const INSIDE: HostLink = {
  name: 'in0',
  ifindex: 3,
  mac: 0x02_00_00_00_00_03,
  up: true,
  addresses: [{ address: 0x0a000001, bits: 8 }],
};

export class FakeHost implements Host {
  present: HostLink[] = [UPLINK, INSIDE];
  readonly announced = new Set<string>();
  readonly sysctls = new Map([
    ['net/ipv4/ip_forward', '0'],
    ['net/ipv4/conf/all/rp_filter', '0'],
    ['net/ipv4/conf/up0/rp_filter', '1'],
    ['net/ipv4/conf/in0/rp_filter', '0'],
  ]);

  links = async (): Promise<HostLink[]> => this.present;
  watch = (): void => {};
  routes = async (): Promise<string[]> => [...this.announced];
  proxyArp = async (): Promise<void> => {};
  changeAddresses = async (): Promise<void> => {};
  readSysctl = (name: string): string | undefined => this.sysctls.get(name);
  writeSysctl = (name: string, value: string): void => void this.sysctls.set(name, value);

  async changeRoutes(_set: unknown, add: readonly string[], remove: readonly string[]) {
    for (const prefix of add) this.announced.add(prefix);
    for (const prefix of remove) this.announced.delete(prefix);
  }
}

/** Mappings and forwards, from the maps: enough for the self-test to have something to check. */
function translate(side: 'in' | 'out', broken: () => boolean) {
  return ({ frame, cb, maps }: FakeContext, replace: (frame: Uint8Array) => void): number => {
    const flow = readFlow(frame);
    if (flow === undefined) return 0;
    cb[0] = REASONS.indexOf('PASS_NOT_EIP');
    const address = side === 'in' ? flow.destination : flow.source;
    const port = side === 'in' ? flow.destinationPort : flow.sourcePort;
    const other =
      forwarded(maps, side, address, flow.protocol, port) ?? mapped(maps, side, address);
    if (other === undefined || broken()) return 0;
    const to = { address: other.address, port: (port + other.portOffset) & 0xffff };
    const moved =
      side === 'in'
        ? { ...flow, destination: to.address, destinationPort: to.port }
        : { ...flow, source: to.address, sourcePort: to.port };
    replace(flowFrame(moved, 0x02_00_00_00_00_09, flow.ttl - 1));
    cb[0] = REASONS.indexOf(side === 'in' ? 'IN_REDIRECTED' : 'OUT_REDIRECTED');
    return 7;
  };
}

type Maps = FakeContext['maps'];
type Other = { address: number; portOffset: number };

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset);

function mapped(maps: Maps, side: 'in' | 'out', address: number): Other | undefined {
  const value = findMapping(maps, side === 'in' ? 'eip_to_private' : 'private_to_eip', address);
  return value && { address: viewOf(value).getUint32(0), portOffset: 0 };
}

/** struct forward_key and struct forward of natter.h. */
function forwarded(
  maps: Maps,
  side: 'in' | 'out',
  address: number,
  protocol: number,
  port: number,
): Other | undefined {
  const key = new DataView(new ArrayBuffer(12));
  key.setUint32(0, 64, true);
  key.setUint32(4, address);
  key.setUint8(8, protocol);
  key.setUint16(10, port);
  const map = maps.get(side === 'in' ? 'forwards_in' : 'forwards_out');
  const value = map?.lookup(new Uint8Array(key.buffer));
  if (value === undefined) return undefined;
  const view = viewOf(value);
  return { address: view.getUint32(0), portOffset: view.getUint16(4, true) };
}

export class FakeMachine {
  readonly kernel: FakeKernel = createFakeKernel();
  readonly host = new FakeHost();
  readonly bpf: Bpf;
  /** The programs translate nothing. */
  broken = false;
  /** Opens the pinned maps as the daemon does, once. */
  #observer: Datapath | undefined;

  constructor() {
    const run = (side: 'in' | 'out') => (context: FakeContext) => {
      const program = translate(side, () => this.broken);
      return program(context, (frame) => {
        context.frame = frame;
      });
    };
    const programs = { natter_uplink: run('in'), natter_inside: run('out') };
    this.bpf = createFakeBpf({ kernel: this.kernel, programs });
  }

  /**
   * What a reconcile of the pinned maps with this table would have to change: nothing, if equal.
   */
  difference(state: TableState, capacity: Capacity, pinDirectory: string): number {
    const options = { bpf: this.bpf, objectPath: OBJECT_PATH, pinDirectory, capacity };
    this.#observer ??= new Datapath(options);
    const steps = this.#observer.reconcile(state);
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done !== true) continue;
      return step.value.added + step.value.changed + step.value.removed;
    }
  }
}
