// How a zone lies in its piece of memory: 32-bit words in the machine's order, and bytes. A place
// is the index of a word (byte 4 × place); place 0 is the header, and so stands for "none". Pure.
//
// header    words by H_*
// blocks    one a name, in canonical order (RFC 4034 §6.1), empty non-terminals among them:
//             4 words by N_*, the name in wire form (letters as written), padded to a word,
//             then its RRsets by type, one after the other:
//             8 words by R_*, patches, where signatures begin, additional entries, bytes
// negative  one RRset more: the SOA as negative answers have it (RFC 2308: TTL min(TTL, MINIMUM))
// table     open addressing, linear: pairs of [hash of the whole name, place of its block], a power
//           of two of them, at most two thirds in use; names that only have an NSEC3 are not in it
// nsec      places of the names that have an NSEC, in canonical order
// nsec3     6 words each, in the order of the hashes: 5 of the hash, most significant first, place
//
// The bytes of an RRset are records ready for an answer whose question is their owner: the owner is
// C0 0C, and names that RFC 1035 lets compress end in pointers into the owner (as if at 12) or to
// an earlier name of the same RRset (as if it came right behind the question). RRSIGs follow, of
// the RRset itself. A patch says where such a pointer is, so that it can be written elsewhere:
// with a depth to the owner's suffix of so many labels, with PATCH_SELF to an offset of the bytes.

export const MAGIC = 0x65646e73;
export const LAYOUT_VERSION = 1;

export const H_MAGIC = 0;
export const H_VERSION = 1;
export const H_APEX = 2;
/** Words behind the last block. */
export const H_BLOCKS_END = 3;
export const H_NEGATIVE_SOA = 4;
export const H_TABLE = 5;
/** Pairs − 1. */
export const H_TABLE_MASK = 6;
export const H_NSEC = 7;
export const H_NSEC_COUNT = 8;
export const H_NSEC3 = 9;
export const H_NSEC3_COUNT = 10;
export const H_NSEC3_ITERATIONS = 11;
/** Bytes of it, and the word where they begin. */
export const H_NSEC3_SALT_LENGTH = 12;
export const H_NSEC3_SALT = 13;
/** 1: a DNSKEY at the apex. */
export const H_IS_SIGNED = 14;
export const HEADER_WORDS = 16;

/** Bits 0 to 7 NODE_*, 8 to 15 bytes of the name, 16 to 23 its labels (the root's not counted). */
export const N_SHAPE = 0;
/** The topmost cut at or above it, or name with a DNAME above it; 0: none. */
export const N_COVERED = 1;
/** Its child `*`; 0: none. */
export const N_WILDCARD = 2;
/** 0: an empty non-terminal. */
export const N_RRSETS = 3;
export const N_NAME = 4;

export const NODE_CUT = 1;
export const NODE_DNAME = 2;
export const NODE_ALIAS = 4;

export const R_TYPE = 0;
/** 0: the last of its name. */
export const R_NEXT = 1;
/** Records; 0: only RRSIGs; SMART: answered by policy. */
export const R_COUNT = 2;
/** Bytes of the records; of a smart one its index. */
export const R_BYTES = 3;
export const R_SIGS = 4;
export const R_SIG_BYTES = 5;
/** Words of patches of the records. RRSIGs have none but their owner's, one a record. */
export const R_PATCH_WORDS = 6;
export const R_ADDITIONAL = 7;
export const R_PATCHES = 8;

export const SMART = -1;

/**
 * A patch: offset × 256 + depth (0 to 127), where a pointer to the owner's suffix of `depth` labels
 * stands; or offset × 256 + PATCH_SELF, and in the next word the offset that it points to.
 */
export const PATCH_SELF = 255;
/** Pointers within an RRset lead no further, so that they fit behind a chain (MAX_OWNER_AT). */
export const MAX_SELF = 0x1fff;

/** An additional entry: place of the target (0: not in this zone), offset of its name, how. */
export const ADDITIONAL_WORDS = 3;
/** Below the cut: a referral is of no use without (RFC 9471). */
export const ADDITIONAL_NEEDED = 1;
/** The target's name stands in data that nothing points into: it is written out. */
export const ADDITIONAL_LITERAL = 2;
/** The target is the owner itself (SVCB's "."). */
export const ADDITIONAL_OWNER = 4;

/** Owner C0 0C, class IN: what a record starts with takes 12 bytes with TTL and length. */
export const RECORD_HEAD = 12;
/** The TTL's offset in a record. */
export const TTL_AT = 6;
