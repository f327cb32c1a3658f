// The packet table's world in the kernel: a network namespace of the test's own with the site's
// links, and natter's object loaded, unattached, with the site's table in its maps.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Datapath, type DatapathOptions } from '../../natter/datapath.ts';
import { Slot as Bits, type Operation } from '../../natter/entries.ts';
import type {
  Forward,
  FragmentRecord,
  Link,
  Mapping,
  Slot,
  Table,
  Verdict,
} from '../../natter/mapping.ts';
import { structCodec } from '../../shared/bpf/codec.ts';
import { createBpf } from '../../shared/bpf/kernel.ts';
import { unshareNetwork } from '../../shared/bpf/libc.ts';
import { readObjectFile } from '../../shared/bpf/object-file.ts';
import { writeNumber } from '../../shared/bpf/words.ts';
import {
  LIMITED,
  LINK_NAMES,
  LINKS,
  type LinkName,
  type NatterCase,
  NEIGHBOURS,
  ROUTES,
  siteTable,
} from './natter-cases.ts';

const builtObject = join(import.meta.dirname, '../../natter/bpf/natter.bpf.o');

/** The object's own layouts, for what only tests write. */
const { types } = readObjectFile(builtObject);

/** Builds the links; returns their interface numbers. The namespace ends with this process. */
export function buildLinks(): Record<LinkName, number> {
  unshareNetwork();
  execFileSync('sysctl', ['-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.disable_ipv6=1']);
  ip('link set lo up');
  const ifindex = { uplink: 0, inside: 0, narrow: 0, onearm: 0 };
  for (const name of LINK_NAMES) {
    const { address, mac, mtu } = LINKS[name];
    ip(`link add ${name} address ${mac} mtu ${mtu} type veth peer name ${name}-peer mtu ${mtu}`);
    ip(`link set ${name} up`);
    ip(`link set ${name}-peer up`);
    ip(`address add ${address}/24 dev ${name}`);
    ifindex[name] = Number(ip(`-o link show dev ${name}`).split(':')[0]);
  }
  for (const [address, { link, mac }] of Object.entries(NEIGHBOURS)) {
    ip(`neighbour replace ${address} lladdr ${mac} dev ${link} nud permanent`);
  }
  for (const { prefix, gateway, type } of ROUTES) {
    ip(gateway ? `route add ${prefix} via ${gateway}` : `route add ${type} ${prefix}`);
  }
  return ifindex;
}

function ip(command: string): string {
  return execFileSync('ip', command.split(' '), { encoding: 'utf8' });
}

export type SiteOptions = Pick<DatapathOptions, 'pages'> & { objectPath?: string };

/** The object with the site's table; the caller closes it. */
export function loadSite(
  ifindex: Record<LinkName, number>,
  { objectPath = builtObject, ...options }: SiteOptions = {},
): Datapath {
  const capacity = { eips: 1024, forwards: 1024, limits: 1024 };
  const datapath = new Datapath({ bpf: createBpf(), objectPath, capacity, ...options });
  const table = siteTable(ifindex);
  datapath.apply([
    ...[...table.eipToPrivate].map(([key, value]) => mappingEntry('eip_to_private', key, value)),
    ...[...table.privateToEip].map(([key, value]) => mappingEntry('private_to_eip', key, value)),
    ...table.forwardsIn.flatMap((forward) => forwardEntries('forwards_in', forward)),
    ...table.forwardsOut.flatMap((forward) => forwardEntries('forwards_out', forward)),
  ]);
  for (const _ of datapath.settle());
  writeLinks(datapath, table);
  writeLimits(datapath);
  return datapath;
}

function mappingEntry(
  map: 'eip_to_private' | 'private_to_eip',
  key: number,
  mapping: Mapping,
): Operation {
  const flags =
    (mapping.eipForwards ? Bits.eipForwards : 0) +
    (mapping.privateForwarded ? Bits.privateForwarded : 0);
  return { map, key, value: { address: mapping.address, slotFlags: slotFlags(mapping) + flags } };
}

export function slotFlags({ slot, limitIn, limitOut }: Slot): number {
  return slot + (limitIn ? Bits.limitIn : 0) + (limitOut ? Bits.limitOut : 0);
}

/** A range as single ports and, where it is all of them, as one entry: the trie does the rest. */
function forwardEntries(map: 'forwards_in' | 'forwards_out', forward: Forward): Operation[] {
  const { address, protocol, first, last, target, portOffset } = forward;
  const value = { address: target, portOffset, slotFlags: slotFlags(forward) };
  const entry = (port: number, prefixBits: number): Operation => ({
    map,
    key: { address, protocol, port, prefixBits },
    value,
  });
  if (first === 0 && last === 65535) return [entry(0, 48)];
  return Array.from({ length: last - first + 1 }, (_, index) => entry(first + index, 64));
}

function writeLinks(datapath: Datapath, table: Table): void {
  for (const [ifindex, link] of table.links) {
    const key = new Uint8Array(4);
    writeNumber(ifindex, key);
    datapath.map('links').update(key, datapath.layout.link.encode({ role: roleOf(link) }));
  }
  for (const { address, bits } of table.internalPrefixes) {
    const key = datapath.layout.prefixKey.encode({ prefix_bits: bits, address });
    datapath.map('internal_prefixes').update(key, new Uint8Array(4));
  }
}

const roleOf = ({ uplink, inside }: Link): number => (uplink ? 1 : 0) + (inside ? 2 : 0);

const FOREVER_NS = 2 ** 60;

/** Bucket 1 never grants, bucket 2 always does. */
function writeLimits(datapath: Datapath): void {
  const state = structCodec<{ paid_until_ns: number }>(types, 'bucket_state', ['paid_until_ns']);
  const config = { costPerByte: 1, burstNs: 1e9, reserveNs: 0 };
  for (const bucket of [1, 2]) {
    datapath.apply([{ map: 'bucket_configs', key: bucket, value: config }]);
    const key = new Uint8Array(4);
    writeNumber(bucket, key);
    const paid_until_ns = bucket === 1 ? FOREVER_NS : 0;
    datapath.map('bucket_states').update(key, state.encode({ paid_until_ns }));
  }
  for (const slot of [30, 31, 32, 34]) {
    const own = LIMITED[slot] === 'own' ? 1 : 2;
    const group = LIMITED[slot] === 'group' ? 1 : 0;
    const value = { inBucket: own, outBucket: own, inGroupBucket: group, outGroupBucket: group };
    datapath.apply([{ map: 'slot_limits', key: slot, value }]);
  }
}

// ---- Runs

const VERDICTS: Record<number, Verdict> = { 0: 'pass', 2: 'drop', 7: 'redirect' }; // TC_ACT_*
const UNTOUCHED = 0xffffffff;

export interface KernelRun {
  verdict: Verdict | undefined;
  reason: string | undefined; // undefined: cb[0] is as it was
  steps: string[];
  slot: number;
  ifindex: number;
  fib: number;
  frame: Uint8Array;
}

/** One packet through the loaded program, counted, limited and metered as on a link. */
export function runKernel(
  datapath: Datapath,
  row: Pick<NatterCase, 'program' | 'link' | 'frame' | 'hostMade' | 'segments'>,
  ifindex: Record<LinkName, number>,
  { dryRun = false } = {},
): KernelRun {
  const isEgress = row.program === 'natter_egress';
  const cameFrom = isEgress ? ifindex.inside : ifindex[row.link];
  const { verdict, frame, cb } = datapath.program(row.program).testRun({
    frame: row.frame,
    ifindex: ifindex[row.link],
    ingressIfindex: dryRun || (isEgress && row.hostMade) ? 0 : cameFrom,
    cb: [UNTOUCHED, 0, 0, 0, 0],
    ...(row.segments && { gsoSegs: row.segments.count, gsoSize: row.segments.payloadBytes }),
  });
  const [reason = 0, steps = 0, slot = 0, out = 0, fib = 0] = cb;
  const { layout } = datapath;
  return {
    verdict: VERDICTS[verdict],
    reason: Object.keys(layout.reasons).find((name) => layout.reasons[name] === reason),
    steps: Object.entries(layout.steps)
      .filter(([, bit]) => (steps & bit) !== 0)
      .map(([name]) => name.replace('STEP_', '')),
    slot,
    ifindex: out,
    fib,
    frame,
  };
}

// ---- Fragments

interface KernelKey {
  source: number;
  destination: number;
  id: number;
  protocol: number;
  outbound: number;
}

const keyCodec = structCodec<KernelKey>(types, 'fragment_key', [
  'source',
  'destination',
  'id',
  'protocol',
  'outbound',
]);
const valueCodec = structCodec<{ expires_ns: number; address: number; slot_flags: number }>(
  types,
  'fragment',
);

/** Leaves exactly these on record; `expiresNs` counts from now. */
export function setFragments(datapath: Datapath, records: readonly FragmentRecord[]): void {
  const map = datapath.map('fragments');
  for (const { keys, count } of map.batches()) {
    for (let index = 0; index < count; index += 1) {
      map.delete(keys.slice(index * map.keySize, (index + 1) * map.keySize));
    }
  }
  for (const record of records) {
    const { source, destination, id, protocol, outbound } = record;
    const key = { source, destination, id, protocol, outbound: outbound ? 1 : 0 };
    const expires_ns = monotonicNs() + record.expiresNs;
    const value = { expires_ns, address: record.address, slot_flags: slotFlags(record) };
    map.update(keyCodec.encode(key), valueCodec.encode(value));
  }
}

/** What is on record, in the reference model's words; `expiresNs` is CLOCK_MONOTONIC. */
export function readFragments(
  datapath: Datapath,
): { key: KernelKey; address: number; slotFlags: number; expiresNs: number }[] {
  const map = datapath.map('fragments');
  return [...map.batches()].flatMap(({ keys, values, count }) =>
    Array.from({ length: count }, (_, index) => {
      const value = valueCodec.decode(values, index * map.valueSize);
      return {
        key: keyCodec.decode(keys, index * map.keySize),
        address: value.address,
        slotFlags: value.slot_flags,
        expiresNs: value.expires_ns,
      };
    }),
  );
}

export const monotonicNs = (): number => Number(process.hrtime.bigint());
