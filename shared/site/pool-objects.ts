// Pools of addresses and what operators say of their health: unit `pools`, which dns and the load
// balancers follow. Pure.
import type { CheckSettings, Override } from '../health/types.ts';
import type { PoolProxy } from './lb-objects.ts';

/** `address` as text, of either family; one family a pool. */
export type PoolTarget = {
  address: string;
  /** Where it serves; absent: at the port of whoever sends it a client. dns has no use for it. */
  port?: number;
  /** 0 to 1000; 0 takes no client unless all others are down. 1 unless told. */
  weight: number;
  /** Of `failover`: the lowest tier with a healthy target serves. 0 unless told. */
  tier: number;
};

export type Pool = {
  name: string;
  targets: readonly PoolTarget[];
  /** Absent: never probed, always up. Its port 0 (not of icmp) is the target's own. */
  check?: CheckSettings;
  /**
   * `weighted`: all healthy targets of the lowest healthy tier share clients by weight. `all`: all
   * healthy ones are answered together.
   */
  answer: 'weighted' | 'all';
  /** How many addresses an answer has at most, with `weighted`; 1 unless told. */
  answers: number;
  /**
   * Below this share of healthy targets (0 to 100, by weight) a pool counts as failed: its clients
   * go to the next one of the record. 0 unless told: failed only with none.
   */
  minHealthyPercent: number;
  /** How load balancers use it; absent: DEFAULT_PROXY. */
  proxy?: PoolProxy;
};

/**
 * Said of an address in one pool, or, without `pool`, wherever it is a target; with a port only of
 * the target at that port.
 */
export type HealthOverride = { address: string; port?: number; pool?: string } & Override;
