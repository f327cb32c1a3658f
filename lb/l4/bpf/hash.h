/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The hash that picks a slot (lb.h says which); written again in lb/l4/model/hash.ts. */
#ifndef EDGE_LB_HASH_H
#define EDGE_LB_HASH_H

#include <linux/types.h>
#include "lb.h"

static __always_inline __u32 rotate_left(__u32 word, __u32 bits)
{
	return word << bits | word >> (32 - bits);
}

static __always_inline __u32 hash_word(__u32 hash, __u32 word)
{
	word = rotate_left(word * 0xcc9e2d51, 15) * 0x1b873593;
	return rotate_left(hash ^ word, 13) * 5 + 0xe6546b64;
}

static __always_inline __u32 hash_end(__u32 hash, __u32 words)
{
	hash ^= words * 4;
	hash = (hash ^ hash >> 16) * 0x85ebca6b;
	hash = (hash ^ hash >> 13) * 0xc2b2ae35;
	return hash ^ hash >> 16;
}

/* hash mod 65537 without a division: 65536 is -1 there. */
static __always_inline __u32 maglev_slot(__u32 hash)
{
	__u32 low = hash & 0xffff;
	__u32 high = hash >> 16;

	return low >= high ? low - high : low + MAGLEV_SLOTS - high;
}

#endif
