// Smart answers: what one name and type answers to each line, from its record, its pools and their
// health. `evaluate` (evaluate.ts) makes it and says why; dns/answer serves it. Pure.
import type { TargetHealth } from '../../shared/health/types.ts';
import type { SmartRecord } from '../../shared/site/dns-objects.ts';
import type { Pool, PoolTarget } from '../../shared/site/pool-objects.ts';

/** A smart record, and what it is evaluated against. */
export type PolicyInput = {
  record: SmartRecord;
  pools: ReadonlyMap<string, Pool>;
  /** Of a pool's target; of one without a check too: an override may be said of it. */
  healthOf: (pool: Pool, target: PoolTarget) => TargetHealth;
  /** Names by number, as in the line tree; [0] is `default`. */
  lines: readonly string[];
  /** By line: where to look when the record has nothing for it. `default` need not be in it. */
  fallbacks: ReadonlyMap<string, readonly string[]>;
  /** Of a record that names none: the zone's. */
  zoneTtlSeconds: number;
  /** ms since the epoch: overrides end. */
  nowMs: number;
};

/**
 * One name and type for all lines. Indices of `choiceOfLine` are line numbers; its values index
 * `choices`. Plain data: it goes to threads by structured clone.
 */
export type SmartAnswer = {
  choiceOfLine: Uint16Array;
  choices: SmartChoice[];
};

export type SmartChoice = {
  ttlSeconds: number;
  /** RDATA of the record's type (CNAME: one each). An empty set is answered NODATA. */
  answers: Uint8Array[][];
  /**
   * 256 entries: which of `answers` serves a client by the hash of its prefix. Absent: answers[0]
   * serves all. Where there are slots, an answer is for no more than a /24 or /56: its ECS scope is
   * never shorter.
   */
  slots?: Uint8Array;
  /** Why, for explain: line after line, in words. */
  steps: string[];
};
