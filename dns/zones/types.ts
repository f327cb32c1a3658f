// Where zones come from, what it takes to build one, and what is served. Names of zones are text as
// in site objects: lower case, without the final dot.

import type { Name } from '../../shared/dns/types.ts';
import type { RecordMemory } from '../../shared/dns/zone/record-list.ts';
import type { ZoneProblem } from '../../shared/dns/zone/types.ts';
import type { PlainRecord, ZoneObject } from '../../shared/site/dns-objects.ts';
import type { SmartName, ZoneImage } from '../image/types.ts';

/** Of two that have the same zone, the one that stands first here serves it. */
export const ZONE_SOURCES = ['file', 'transfer', 'objects'] as const;
export type ZoneSourceKind = (typeof ZONE_SOURCES)[number];

/** Smart records of the zone, with their places in the table of smart answers. Plain data. */
export type SmartPlaces = readonly { name: string; type: string; index: number }[];

type Job = { zone: string; smart: SmartPlaces };
/** Plain data: it goes to the thread that builds. */
export type BuildJob =
  | (Job & { source: 'file'; path: string })
  | (Job & {
      source: 'objects';
      object: ZoneObject;
      /** Names of leases among them. */
      plain: readonly PlainRecord[];
      serial: number;
    })
  | (Job & { source: 'transfer'; records: RecordMemory });

export type BuildResult = {
  zone: string;
  /** Absent: refused, see the problems. */
  image: ZoneImage | undefined;
  problems: readonly ZoneProblem[];
  /** What its ALIAS records point to (aliases/targets.ts). */
  aliases?: readonly Name[];
  /** That were read, $INCLUDE too: a change of any is a change of the zone. */
  files: readonly string[];
  tookMs: number;
};

export type { SmartName };

export type ServedZone = {
  zone: string;
  source: ZoneSourceKind;
  image: ZoneImage;
  aliases: readonly Name[];
  /** Warnings of what is served. */
  warnings: readonly ZoneProblem[];
  /** ms since the epoch. */
  loadedAtMs: number;
};

/** Absent: it was not, or is not any more, served. */
export type ZoneChange = {
  zone: string;
  before: ServedZone | undefined;
  after: ServedZone | undefined;
};

/** Why a zone is not served as it is wanted; one before may be served instead. */
export type RefusedZone = {
  zone: string;
  source: ZoneSourceKind;
  problems: readonly ZoneProblem[];
};
