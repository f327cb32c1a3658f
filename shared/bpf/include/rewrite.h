/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Writes what was resolved into the frame; the rules: docs/translation.md, section 7. */
#ifndef EDGE_BPF_REWRITE_H
#define EDGE_BPF_REWRITE_H

#include "checksum.h"
#include "parse.h"

static __always_inline __u32 addresses_difference(const struct flow *from, const struct flow *to)
{
	return address_difference(from->source, to->source) +
	       address_difference(from->destination, to->destination);
}

static __always_inline __u32 ports_difference(const struct flow *from, const struct flow *to)
{
	return word_difference(from->source_port, to->source_port) +
	       word_difference(from->destination_port, to->destination_port);
}

static __always_inline bool ports_differ(const struct flow *from, const struct flow *to)
{
	return from->source_port != to->source_port ||
	       from->destination_port != to->destination_port;
}

static __always_inline bool addresses_differ(const struct flow *from, const struct flow *to)
{
	return from->source != to->source || from->destination != to->destination;
}

static __always_inline int store_ports(struct __sk_buff *skb, __u32 offset, const struct flow *to)
{
	__be16 ports[2] = {to->source_port, to->destination_port};

	return bpf_skb_store_bytes(skb, offset, ports, sizeof(ports), 0);
}

/* The L4 checksum inside the quote, if that reaches so far. Adds its change to *difference. */
static __always_inline int rewrite_quoted_checksum(struct __sk_buff *skb, const struct quote *q,
						   __u32 *difference)
{
	__u8 protocol = q->header.protocol;
	bool zero_is_none = protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE;
	__u32 at = checksum_offset(protocol);
	__u32 change;
	__u16 before, after;

	if (!at || !q->first || q->l4_bytes < at + sizeof(before))
		return 0;
	at += q->offset + q->header_bytes;
	if (bpf_skb_load_bytes(skb, at, &before, sizeof(before)))
		return -1;
	if (zero_is_none && !before)
		return 0;
	change = fold(addresses_difference(&q->from, &q->to));
	if (q->has_ports)
		change += fold(ports_difference(&q->from, &q->to));
	after = checksum_after(before, change);
	if (zero_is_none && !after)
		after = 0xffff;
	*difference += word_difference(before, after);
	return bpf_skb_store_bytes(skb, at, &after, sizeof(after), 0);
}

/* The quoted packet, and the ICMP checksum that covers it. */
SLOW_PATH int rewrite_quote(struct __sk_buff *skb, struct packet *p)
{
	struct quote *q;
	__u32 checksum_at, difference;
	__u16 before;

	if (!p)
		return -1;
	q = &p->quote;
	checksum_at = ETH_HLEN + p->header_bytes + 2;
	difference = addresses_difference(&q->from, &q->to);
	before = q->header.check;
	q->header.check = checksum_after(before, difference);
	difference = fold(difference) + word_difference(before, q->header.check);
	q->header.saddr = q->to.source;
	q->header.daddr = q->to.destination;
	if (rewrite_quoted_checksum(skb, q, &difference))
		return -1;
	if (q->has_ports && ports_differ(&q->from, &q->to)) {
		difference += ports_difference(&q->from, &q->to);
		if (store_ports(skb, q->offset + q->header_bytes, &q->to))
			return -1;
	}
	if (bpf_skb_store_bytes(skb, q->offset, &q->header, sizeof(q->header), 0))
		return -1;
	return bpf_l4_csum_replace(skb, checksum_at, 0, fold(difference), 0);
}

static __always_inline int rewrite_l4(struct __sk_buff *skb, const struct packet *p)
{
	__u32 l4 = ETH_HLEN + p->header_bytes;
	__u32 at = checksum_offset(p->protocol);
	__u32 difference;

	if (!at || !p->first)
		return 0;
	difference = fold(addresses_difference(&p->from, &p->to));
	if (update_l4_checksum(skb, l4 + at, p->protocol, difference, BPF_F_PSEUDO_HDR))
		return -1;
	if (!has_ports(p->protocol) || !ports_differ(&p->from, &p->to))
		return 0;
	difference = fold(ports_difference(&p->from, &p->to));
	if (update_l4_checksum(skb, l4 + at, p->protocol, difference, 0))
		return -1;
	return store_ports(skb, l4, &p->to);
}

/* A hop for what is sent on as it came. */
static __always_inline void take_hop(struct iphdr *ip)
{
	__u16 before = *(__u16 *)&ip->ttl;

	ip->ttl--;
	ip->check = checksum_after(ip->check, word_difference(before, *(__u16 *)&ip->ttl));
}

/*
 * Returns the frame's headers with the new addresses in them, or NULL if a helper refused (the
 * packet must then be dropped). hops: what to take off the TTL, 0 or 1.
 */
static __always_inline struct ethhdr *rewrite(struct __sk_buff *skb, struct packet *p, __u8 hops)
{
	struct ethhdr *eth;
	struct iphdr *ip;
	__u32 difference;
	__u16 before, after;

	if (rewrite_l4(skb, p))
		return NULL;
	/* An update by nothing would still turn a quoted 0xffff into 0. */
	if (p->is_error && !p->quote.cut_short && addresses_differ(&p->quote.from, &p->quote.to) &&
	    rewrite_quote(skb, p))
		return NULL;
	eth = frame_headers(skb);
	if (!eth)
		return NULL;
	ip = (void *)eth + ETH_HLEN;
	before = *(__u16 *)&ip->ttl;
	ip->ttl -= hops;
	after = *(__u16 *)&ip->ttl;
	difference = addresses_difference(&p->from, &p->to) + word_difference(before, after);
	ip->check = checksum_after(ip->check, difference);
	ip->saddr = p->to.source;
	ip->daddr = p->to.destination;
	return eth;
}

#endif
