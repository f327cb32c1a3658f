// What has been read, and when: what the views are made of.

import type { Eip } from '../../shared/site/eip.ts';
import type { Service } from '../../shared/site/place.ts';
import type { Head, Member, ServerFacts } from '../../shared/store/types.ts';
import type { Rated } from '../series/rates.ts';

export type Heard = Member & { ageMs: number };

export type StoreReading = {
  /** Why it could not be read this time; what follows is from the last time. */
  problem?: string;
  /** Of the questions of one round. */
  tookMs: number | null;
  /** ms since it was last read; null: never. */
  ageMs: number | null;
  heads: ReadonlyMap<string, Head>;
  members: readonly Heard[];
  servers: readonly ServerFacts[];
  /** Why they could not be asked about themselves. */
  serversProblem?: string;
};

export type Reading = {
  service: Service;
  node: string;
  /** Its last heartbeat; undefined: only our settings know of it. */
  heard: Heard | undefined;
  address: string | undefined;
  /** ms since the last page came; null: none has yet. */
  ageMs: number | null;
  /** By the name of the page. */
  pages: ReadonlyMap<string, unknown>;
  /** Why a page could not be read, by its path. */
  problems: ReadonlyMap<string, string>;
  rated: readonly Rated[];
};

/** The console's own row. */
export type Self = { node: string; version: string; startedAtMs: number; rated: readonly Rated[] };

export type SiteReading = {
  nowMs: number;
  store: StoreReading;
  readings: readonly Reading[];
  eips: ReadonlyMap<string, Eip>;
  self: Self;
};
