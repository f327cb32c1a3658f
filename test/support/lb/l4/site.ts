// The little world that lb's packet table plays in: the links, routes and neighbours of natter's,
// with virtual servers of every kind. The system test builds the same world in the kernel.
import { MAGLEV_SLOTS } from '../../../../lb/l4/model/hash.ts';
import type {
  Environment,
  FibResult,
  Program,
  Reverse,
  Server,
  Table,
  Target,
} from '../../../../lb/l4/model/types.ts';
import { eip, LINKS, type LinkName, ROUTES, siteFib, vm } from '../../natter-cases/site.ts';
import { address, TCP, UDP } from '../../packet.ts';

export {
  arriving,
  CLIENT,
  type LinkName,
  leaving,
  NEAR_CLIENT,
  vm,
} from '../../natter-cases/site.ts';

export const vip = eip;

export const LINK_OF: Record<Program, LinkName> = {
  lb_uplink: 'uplink',
  lb_inside: 'inside',
  lb_onearm: 'onearm',
  lb_egress: 'uplink',
};

type TargetRow = [slot: number, address: string, port: number, more?: Partial<Target>];
const targetRows: TargetRow[] = [
  [1, vm(5), 8080],
  [2, vm(6), 8080],
  [3, vm(7), 0],
  [4, vm(99), 8080], // no neighbour
  [5, '10.0.9.5', 8080], // behind the narrow link
  [6, '10.98.0.1', 8080], // a blackhole
  [7, vm(1), 8083], // the balancer itself
  [8, vm(9), 8080, { gone: true }],
  [9, vm(11), 0],
  [10, vm(12), 0],
  [11, vm(98), 0], // no neighbour
  [12, '203.0.114.9', 0], // behind a router
  [13, '10.0.9.5', 0],
  [14, '10.0.7.5', 8080],
  [15, vm(30), 5353, { generation: 7 }],
  [16, vm(31), 53],
  [17, vm(32), 9000],
  [18, vm(34), 0],
  [19, vm(50), 0],
  [20, '10.0.7.6', 0],
];

/** Whose slots alternate in a pool's table. */
export const POOLS: Record<number, number[]> = {
  1: [1, 2],
  2: [3],
  3: [4],
  4: [5],
  5: [6],
  6: [7],
  7: [],
  8: [9, 10],
  9: [11],
  10: [12],
  11: [13],
  12: [14],
  13: [15, 16],
  14: [17],
  15: [18, 19],
  16: [20],
};
export const NO_TABLE = 17;

type ServerRow = [
  at: string,
  protocol: number,
  ports: number | [number, number],
  pool: number,
  more?: Partial<Server>,
];
const serverRows: ServerRow[] = [
  [vip(5), TCP, 80, 1],
  [vip(5), TCP, 443, 2, { hash: 'source' }],
  [vip(5), UDP, 53, 13], // the only one of UDP
  [vip(6), TCP, 80, 15, { lost: 'leave' }], // the only one of TCP
  [vip(6), UDP, [5000, 5099], 14], // and of UDP
  [vip(7), TCP, 80, 8, { mode: 'dsr' }],
  [vip(7), UDP, 53, 8, { mode: 'dsr', hash: 'source' }],
  [vip(7), TCP, [8000, 8100], 8, { mode: 'dsr' }],
  [vip(8), TCP, 80, 3],
  [vip(8), TCP, 81, 4],
  [vip(8), TCP, 82, 5],
  [vip(8), TCP, 83, 6],
  [vip(8), TCP, 84, 7],
  [vip(8), TCP, 85, NO_TABLE],
  [vip(9), TCP, 80, 9, { mode: 'dsr' }],
  [vip(9), TCP, 81, 10, { mode: 'dsr' }],
  [vip(9), TCP, 82, 11, { mode: 'dsr' }],
  [vip(9), TCP, 83, 7, { mode: 'dsr' }],
  [vip(9), TCP, 84, 6, { mode: 'dsr' }],
  [vip(9), UDP, [1, 65535], 8, { mode: 'dsr' }],
  [vip(40), TCP, 80, 12],
  [vip(40), UDP, [1000, 1003], 16],
];

const targets = new Map<number, Target>(
  targetRows.map(([slot, at, port, more]) => [
    slot,
    { address: address(at), port, gone: false, generation: slot + 100, ...more },
  ]),
);

const servers = serverRows.map(([at, protocol, ports, poolSlot, more], index): Server => {
  const [first, last] = typeof ports === 'number' ? [ports, ports] : ports;
  return {
    address: address(at),
    protocol,
    first,
    last,
    slot: index + 1,
    poolSlot,
    mode: 'nat',
    hash: 'flow',
    lost: 'reset',
    ...more,
  };
});

/** What nat servers make of their targets. */
export function reverseOfServers(
  of: readonly Server[],
  pools: Record<number, readonly number[]>,
  known: ReadonlyMap<number, Target>,
): Reverse[] {
  return of
    .filter(({ mode }) => mode === 'nat')
    .flatMap((server) =>
      (pools[server.poolSlot] ?? []).flatMap((targetSlot): Reverse[] => {
        const target = known.get(targetSlot);
        if (target === undefined) return [];
        const first = target.port === 0 ? server.first : target.port;
        return [
          {
            target: target.address,
            protocol: server.protocol,
            first,
            last: first + server.last - server.first,
            address: server.address,
            portOffset: (server.first - first) & 0xffff,
            serverSlot: server.slot,
            targetSlot,
          },
        ];
      }),
    );
}

/** A table whose slots these targets have in turn. */
export const tableOf = (slots: readonly number[]): Uint32Array =>
  Uint32Array.from({ length: MAGLEV_SLOTS }, (_, index) => slots[index % slots.length] ?? 0);

export const siteTable: Table = {
  servers,
  tables: new Map(Object.entries(POOLS).map(([pool, slots]) => [Number(pool), tableOf(slots)])),
  targets,
  reverse: reverseOfServers(servers, POOLS, targets),
};

/** The site's routing table as the model asks it. */
export function lbFib(ifindex: Record<LinkName, number>): Environment['fib'] {
  const fib = siteFib(ifindex);
  return (source, destination, lengthBytes): FibResult => {
    const found = fib(source, destination, lengthBytes);
    const nextHop = nextHopOf(destination);
    if (found.result === 'success') {
      const { sourceMac, destinationMac } = found;
      return { result: 'success', nextHop, sourceMac, destinationMac };
    }
    return found.result === 'no-neighbour' ? { result: 'no-neighbour', nextHop } : found;
  };
}

function nextHopOf(destination: number): number {
  const isNear = Object.values(LINKS).some(({ address: own }) => near(address(own), destination));
  if (isNear) return destination;
  const via = ROUTES.find(({ prefix }) => near(address(prefix.split('/')[0] ?? ''), destination));
  return address(via?.gateway ?? '192.0.2.1');
}

const near = (a: number, b: number): boolean => a >>> 8 === b >>> 8;
