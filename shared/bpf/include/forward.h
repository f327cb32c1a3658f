/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The way out: the routing table's answer, and the redirect. */
#ifndef EDGE_BPF_FORWARD_H
#define EDGE_BPF_FORWARD_H

#include "dataplane_maps.h"
#include "parse.h"
#include "wire.h"

#ifndef AF_INET
#define AF_INET 2
#endif
#define NEIGHBOUR_CHECK_NS 1000000000ull

/* The length that must fit the path: of one segment, if this is a GSO packet. */
static __always_inline __u16 path_bytes(struct __sk_buff *skb, const struct packet *p)
{
	if (!skb->gso_size)
		return p->total_bytes;
	return skb->gso_size + gso_header_bytes(skb, p) - ETH_HLEN;
}

/* Asks the routing table; leaves the answer in *fib and p->fib. */
static __always_inline long ask_fib(struct __sk_buff *skb, struct packet *p, __be32 source,
				    __be32 destination, struct bpf_fib_lookup *fib)
{
	fib->family = AF_INET;
	fib->tos = p->tos & 0x1c; /* IPTOS_RT_MASK */
	fib->l4_protocol = p->protocol;
	fib->tot_len = path_bytes(skb, p);
	fib->ipv4_src = source;
	fib->ipv4_dst = destination;
	fib->ifindex = skb->ifindex;
	p->fib = bpf_fib_lookup(skb, fib, sizeof(*fib), 0);
	p->steps |= STEP_FIB_ASKED;
	if (p->fib == BPF_FIB_LKUP_RET_SUCCESS || p->fib == BPF_FIB_LKUP_RET_NO_NEIGH)
		p->out_ifindex = fib->ifindex;
	return p->fib;
}

static __always_inline bool leads_to_uplink(__u32 ifindex)
{
	const struct link *link = bpf_map_lookup_elem(&links, &ifindex);

	return link && (link->role & LINK_UPLINK);
}

/*
 * A FIB lookup reads the neighbour entry but never refreshes it: it would age unnoticed, and a next
 * hop that changed its MAC be sent to the old one. So once a second a packet to each next hop takes
 * the way through the neighbour table, which probes when it must.
 */
static __always_inline bool neighbour_due(struct packet *p, __be32 next_hop)
{
	__u32 index = bpf_ntohl(next_hop) & (NEIGHBOUR_CHECKS - 1);
	__u64 *checked_ns = bpf_map_lookup_elem(&neighbour_checks, &index);
	__u64 now = bpf_ktime_get_coarse_ns();

	if (!checked_ns || now - *checked_ns < NEIGHBOUR_CHECK_NS)
		return false;
	if (!p->dry)
		*checked_ns = now;
	p->steps |= STEP_REFRESH_NEIGHBOUR;
	return true;
}

static __always_inline int send(struct packet *p, struct ethhdr *eth,
				const struct bpf_fib_lookup *fib)
{
	struct bpf_redir_neigh neighbour = {.nh_family = AF_INET, .ipv4_nh = fib->ipv4_dst};

	__builtin_memcpy(eth->h_dest, fib->dmac, ETH_ALEN);
	__builtin_memcpy(eth->h_source, fib->smac, ETH_ALEN);
	if (neighbour_due(p, fib->ipv4_dst))
		return bpf_redirect_neigh(fib->ifindex, &neighbour, sizeof(neighbour), 0);
	return bpf_redirect(fib->ifindex, 0);
}

#endif
