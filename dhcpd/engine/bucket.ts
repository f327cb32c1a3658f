// Who answers first on a shared LAN (RFC 3074): the hash of the client picks a member, and the k-th
// after it steps in when the client has waited 4k seconds or asked k times before. Pure.
import type { Members, ServerSettings } from '../server-types.ts';
import { MESSAGE } from '../wire/types.ts';
import { BoundedMap } from './bounded-map.ts';
import { isOurs } from './server-id.ts';
import type { Query } from './types.ts';

/** The mixing table of RFC 3074 §6. */
// biome-ignore format: sixteen a row
const MIXING = Uint8Array.of(
  251, 175, 119, 215, 81, 14, 79, 191, 103, 49, 181, 143, 186, 157, 0, 232,
  31, 32, 55, 60, 152, 58, 17, 237, 174, 70, 160, 144, 220, 90, 57, 223,
  59, 3, 18, 140, 111, 166, 203, 196, 134, 243, 124, 95, 222, 179, 197, 65,
  180, 48, 36, 15, 107, 46, 233, 130, 165, 30, 123, 161, 209, 23, 97, 16,
  40, 91, 219, 61, 100, 10, 210, 109, 250, 127, 22, 138, 29, 108, 244, 67,
  207, 9, 178, 204, 74, 98, 126, 249, 167, 116, 34, 77, 193, 200, 121, 5,
  20, 113, 71, 35, 128, 13, 182, 94, 25, 226, 227, 199, 75, 27, 41, 245,
  230, 224, 43, 225, 177, 26, 155, 150, 212, 142, 218, 115, 241, 73, 88, 105,
  39, 114, 62, 255, 192, 201, 145, 214, 168, 158, 221, 148, 154, 122, 12, 84,
  82, 163, 44, 139, 228, 236, 205, 242, 217, 11, 187, 146, 159, 64, 86, 239,
  195, 42, 106, 198, 118, 112, 184, 172, 87, 2, 173, 117, 176, 229, 247, 253,
  137, 185, 99, 164, 102, 147, 45, 66, 231, 52, 141, 211, 194, 206, 246, 238,
  56, 110, 78, 248, 63, 240, 189, 93, 92, 51, 53, 183, 19, 171, 72, 50,
  33, 104, 101, 69, 8, 252, 83, 120, 76, 135, 85, 54, 202, 125, 188, 213,
  96, 235, 136, 208, 162, 129, 190, 132, 156, 38, 47, 1, 7, 254, 24, 4,
  216, 131, 89, 21, 28, 133, 37, 153, 149, 80, 170, 68, 6, 169, 234, 151,
);
const SECONDS_A_PLACE = 4;
const MAX_WAITING = 8192;

/** §6: from the last byte to the first, beginning with the length. */
export function bucketOf(identity: Uint8Array): number {
  let hash = identity.length & 255;
  for (let at = identity.length - 1; at >= 0; at -= 1) {
    hash = MIXING[hash ^ (identity[at] ?? 0)] ?? 0;
  }
  return hash;
}

/** How many members come before this one; undefined when it is not among them. */
export function placeOf(bucket: number, { names, own }: Members): number | undefined {
  const at = names.indexOf(own);
  if (at < 0) return undefined;
  return (at - (bucket % names.length) + names.length) % names.length;
}

/** Remembers which messages were left to the others, for as many clients as it has room for. */
export class Turns {
  readonly #seen = new BoundedMap<string, number>(MAX_WAITING);

  /** Whether this member answers now. */
  isOurs(query: Query, settings: ServerSettings, members: Members): boolean {
    if (settings.sharedLan === 'all' || members.names.length < 2) return true;
    if (!isShared(query, settings)) return true;
    const { request, clientId } = query;
    const place = placeOf(bucketOf(clientId ?? request.chaddr), members);
    // Not a member by now: the others think of it as dead, and step in.
    if (place === undefined) return false;
    if (place === 0 || request.secs >= SECONDS_A_PLACE * place) return true;
    const times = this.#seen.get(query.identity) ?? 0;
    this.#seen.set(query.identity, times + 1);
    return times >= place;
  }
}

/** What several members of one LAN hear, and answer. */
function isShared(query: Query, settings: ServerSettings): boolean {
  const { request, ingress, serverId, isUnicast } = query;
  if (ingress.link === undefined || request.giaddr !== 0 || isUnicast) return false;
  switch (request.messageType) {
    case MESSAGE.DISCOVER:
    case MESSAGE.INFORM:
      return true;
    case MESSAGE.REQUEST:
      // Another's: each forgets its own offer.
      return serverId === undefined || isOurs(settings, query, serverId);
    default:
      return false;
  }
}
