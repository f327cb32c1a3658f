/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What serves a VIP's port, whose reply a target's packet is, and what a fragment belongs to. */
#ifndef EDGE_LB_FIND_H
#define EDGE_LB_FIND_H

#include "maps.h"
#include "packet.h"

static __always_inline struct server_key server_key(__be32 address, __u8 protocol, __be16 port)
{
	return (struct server_key){.address = address, .port = port, .protocol = protocol};
}

static __always_inline struct range_key range_key(__be32 address, __u8 protocol, __be16 port)
{
	return (struct range_key){
		.prefix_bits = 64, .address = address, .protocol = protocol, .port = port,
	};
}

/* What is known of all servers of this VIP and protocol; NULL: it has none. */
static __always_inline const struct server *find_vip(__be32 address, __u8 protocol)
{
	struct server_key key = server_key(address, protocol, 0);

	return bpf_map_lookup_elem(&servers, &key);
}

static __always_inline const struct server *find_server(__be32 address, __u8 protocol, __be16 port)
{
	struct server_key key = server_key(address, protocol, port);
	struct range_key range;
	const struct server *found;

	if (!port)
		return NULL;
	found = bpf_map_lookup_elem(&servers, &key);
	if (found)
		return found;
	found = find_vip(address, protocol);
	if (!found || !(found->flags & SERVER_HAS_RANGES))
		return NULL;
	range = range_key(address, protocol, port);
	return bpf_map_lookup_elem(&server_ranges, &range);
}

static __always_inline bool is_vip(__be32 address)
{
	return find_vip(address, IPPROTO_TCP) || find_vip(address, IPPROTO_UDP);
}

/* As find_vip, of a target's address. */
static __always_inline const struct reverse *find_target(__be32 address, __u8 protocol)
{
	struct server_key key = server_key(address, protocol, 0);

	return bpf_map_lookup_elem(&reverse, &key);
}

static __always_inline const struct reverse *find_reverse(__be32 address, __u8 protocol,
							  __be16 port)
{
	struct server_key key = server_key(address, protocol, port);
	struct range_key range;
	const struct reverse *found;

	if (!port)
		return NULL;
	found = bpf_map_lookup_elem(&reverse, &key);
	if (found)
		return found;
	found = find_target(address, protocol);
	if (!found || !(found->flags & REVERSE_HAS_RANGES))
		return NULL;
	range = range_key(address, protocol, port);
	return bpf_map_lookup_elem(&reverse_ranges, &range);
}

static __always_inline bool is_target(__be32 address)
{
	return find_target(address, IPPROTO_TCP) || find_target(address, IPPROTO_UDP);
}

static __always_inline struct fragment_key fragment_key(const struct packet *p, __u8 outbound)
{
	return (struct fragment_key){
		.source = p->from.source,
		.destination = p->from.destination,
		.id = p->id,
		.protocol = p->protocol,
		.outbound = outbound,
	};
}

/* Where the first fragment went, or NULL. */
static __always_inline const struct fragment *find_fragment(struct packet *p, __u8 outbound)
{
	struct fragment_key key = fragment_key(p, outbound);
	const struct fragment *found = bpf_map_lookup_elem(&fragments, &key);

	if (!found || found->expires_ns <= bpf_ktime_get_coarse_ns())
		return NULL;
	p->steps |= STEP_FRAGMENT_FOUND;
	return found;
}

static __always_inline void remember_fragment(const struct packet *p, __u8 outbound, __be32 address)
{
	struct fragment_key key = fragment_key(p, outbound);
	struct fragment value = {
		.expires_ns = bpf_ktime_get_coarse_ns() + FRAGMENT_LIFE_NS,
		.address = address,
		.server_slot = p->own.server_slot,
		.target_slot = p->own.target_slot,
		.flags = p->own.flags & SERVER_DSR,
	};

	if (!p->dry)
		bpf_map_update_elem(&fragments, &key, &value, BPF_ANY);
}

#endif
