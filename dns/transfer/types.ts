// What transfers need of a zone, and of whom they speak with. Names of zones and keys are text as
// in site objects: lower case, without the final dot.
import type { Name } from '../../shared/dns/types.ts';
import type { Prefix } from '../../shared/net/prefix.ts';
import type { ZoneImage } from '../image/types.ts';
import type { SmartAnswer } from '../policy/types.ts';

/** Who may transfer a zone out: a client in one of the prefixes, or one that signs by a key. */
export type TransferPolicy = { prefixes: readonly Prefix[]; keys: readonly string[] };

/** host:port, and the key by which it is asked and believed. */
export type Primary = { from: string; key?: string };

/** All of one serving state. */
export type TransferZone = {
  origin: Name;
  /** Undefined, or emptyZone(): expired, or not there yet. */
  image: ZoneImage | undefined;
  /** What `index` of its smart names leads to. */
  smart: readonly SmartAnswer[];
  policy: TransferPolicy;
  /** None: it is no secondary, and nobody's NOTIFY is for it. */
  primaries: readonly Primary[];
};
