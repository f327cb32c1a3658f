/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The mapping of an address. Neighbours share a page, so that among many EIPs one read from memory
 * finds one, where a hash takes two; an address whose /24 has no page is in the hash. An address
 * that moves is in both for a while, and the page is right.
 */
#ifndef EDGE_NATTER_FIND_H
#define EDGE_NATTER_FIND_H

#include <bpf/bpf_endian.h>
#include "maps.h"

#define PAGE_NETWORK bpf_htonl(~(__u32)(PAGE_ENTRIES - 1))

/* In one read: the daemon writes entries in place, in one store. */
static __always_inline void copy_mapping(const struct mapping *from, struct mapping *copy)
{
	union {
		__u64 word;
		struct mapping mapping;
	} both = {.word = *(const volatile __u64 *)from};

	*copy = both.mapping;
}

/* Returns copy, filled, or NULL. */
static __always_inline const struct mapping *find_mapping(void *pages, void *entries, void *hash,
							  __be32 address, struct mapping *copy)
{
	__be32 network = address & PAGE_NETWORK;
	const __u32 *page = bpf_map_lookup_elem(pages, &network);
	const struct mapping *found;
	__u32 index = 0;

	if (page) {
		index = *page * PAGE_ENTRIES + bpf_ntohl(address & ~PAGE_NETWORK);
		found = bpf_map_lookup_elem(entries, &index);
		if (found) {
			copy_mapping(found, copy);
			if (copy->slot_flags & SLOT_PRESENT) {
				copy->slot_flags &= ~SLOT_PRESENT;
				return copy;
			}
		}
		index = 0;
	}
	found = bpf_map_lookup_elem(entries, &index);
	if (found && (found->slot_flags & SLOT_PRESENT))
		return NULL;
	found = bpf_map_lookup_elem(hash, &address);
	if (!found)
		return NULL;
	copy_mapping(found, copy);
	return copy;
}

static __always_inline const struct mapping *find_eip(__be32 address, struct mapping *copy)
{
	return find_mapping(&eip_pages, &eip_entries, &eip_to_private, address, copy);
}

static __always_inline const struct mapping *find_private(__be32 address, struct mapping *copy)
{
	return find_mapping(&private_pages, &private_entries, &private_to_eip, address, copy);
}

#endif
