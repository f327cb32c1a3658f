// What a simulation is played on: how clients reach the servers, how many of each there are, how
// much room the pools have, and two versions of the plan.
import type { Plan } from '../../../../dhcpd/plan/types.ts';
import { formatIpv4, type Ipv4, ipv4, ipv4ToBytes } from '../../../../shared/net/ipv4.ts';
import { ip, type ReservationFields, simplePlan } from '../simple-plan.ts';

/** Relayed to any instance, relayed to all of them, or one LAN where all hear a broadcast. */
export type Way = 'ecmp' | 'all' | 'lan';

export type Scene = {
  way: Way;
  sharedLan: 'bucket' | 'all';
  instances: number;
  clients: number;
  hostile: number;
  /** Addresses of the pool. */
  addresses: number;
  /** Those of them that nobody need have in the end: long reserves, what was declined. */
  spare: number;
  leaseSeconds: number;
  /** Replicas of the modelled Redis. */
  replicas: number;
  outageReserve: number;
  /** One way to Redis. */
  redisDelayMs: readonly [least: number, most: number];
  /** The first clients have a reserved address, by MAC. */
  reservations: number;
};

export const NETWORK = ip('10.1.0.0');
export const RELAY = ip('10.1.0.1');
export const SERVICE = ip('10.255.0.53');
const FIRST = 16;
export const MAX_LEASE_FACTOR = 2;

export function serverAddress(index: number): Ipv4 {
  return ipv4(NETWORK + 2 + index);
}

export function clientMac(index: number): string {
  const hex = (value: number) => value.toString(16).padStart(2, '0');
  return `02:01:00:00:${hex(index >> 8)}:${hex(index & 255)}`;
}

/**
 * The second version has other options, has lost the first two addresses and has two more at the
 * end.
 */
export function planOf(scene: Scene, version: 1 | 2): Plan {
  const { addresses, leaseSeconds, reservations } = scene;
  const first = NETWORK + FIRST + (version === 1 ? 0 : 2);
  const last = first + addresses - 1;
  const pools = [`${formatIpv4(ipv4(first))}-${formatIpv4(ipv4(last))}`];
  const reserved = Array.from({ length: reservations }, (_, index): ReservationFields => {
    const mac = Uint8Array.from(clientMac(index).split(':'), (pair) => Number.parseInt(pair, 16));
    return { by: 'mac', mac, at: formatIpv4(ipv4(NETWORK + FIRST + 8 + 3 * index)) };
  });
  return simplePlan({
    version,
    subnets: [
      {
        prefix: '10.1.0.0/22',
        pools,
        lease: {
          default: leaseSeconds,
          min: Math.floor(leaseSeconds / 2),
          max: MAX_LEASE_FACTOR * leaseSeconds,
        },
        authoritative: true,
        rapidCommit: false,
        options: new Map([
          [3, ipv4ToBytes(RELAY)],
          [6, ipv4ToBytes(ip(version === 1 ? '10.9.9.1' : '10.9.9.2'))],
          [15, new TextEncoder().encode(version === 1 ? 'one.example' : 'two.example')],
        ]),
      },
    ],
    reservations: reserved,
  });
}
