// The scenes that tests and the soak run play.
import type { Scene } from './scene.ts';

const common: Scene = {
  way: 'ecmp',
  sharedLan: 'all',
  instances: 3,
  clients: 40,
  hostile: 2,
  addresses: 100,
  spare: 40,
  leaseSeconds: 60,
  replicas: 1,
  outageReserve: 4,
  redisDelayMs: [0.1, 2],
  reservations: 2,
};

export const scenes: Readonly<Record<string, Scene>> = {
  /** Relays spread packets over the instances: each packet meets any of them. */
  ecmp: common,
  /** Relays send to all instances: all answer. */
  all: { ...common, way: 'all' },
  /** One LAN; one answers first, others step in. */
  bucket: { ...common, way: 'lan', sharedLan: 'bucket' },
  /** One LAN; everybody answers. */
  lan: { ...common, way: 'lan' },
  /** More clients than addresses: everything that can be given is wanted at once. */
  tight: { ...common, clients: 36, addresses: 24, spare: 16, outageReserve: 2, reservations: 0 },
  /** One Redis that syncs each write; two instances. */
  single: { ...common, instances: 2, replicas: 0 },
  /** One instance alone. */
  alone: { ...common, instances: 1, way: 'all', replicas: 0 },
};
