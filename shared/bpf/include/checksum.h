/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The Internet checksum as a difference (RFC 1624), on words as they lie in memory. */
#ifndef EDGE_BPF_CHECKSUM_H
#define EDGE_BPF_CHECKSUM_H

#include <linux/types.h>

static __always_inline __u16 fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

static __always_inline __u32 word_difference(__u16 from, __u16 to)
{
	return (__u16)~from + (__u32)to;
}

static __always_inline __u32 address_difference(__be32 from, __be32 to)
{
	return word_difference(from & 0xffff, to & 0xffff) + word_difference(from >> 16, to >> 16);
}

static __always_inline __u16 checksum_after(__u16 checksum, __u32 difference)
{
	return ~fold((__u16)~checksum + fold(difference));
}

#endif
