/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What a packet says: the IPv4 header, the ports, and the packet that an ICMP error quotes.
 *
 * The headers of this folder are for every data plane at tc. A service has a packet.h beside its
 * program, to be included in place of this: it defines the reasons and steps that are named here
 * (enum reason, enum explain_step) and what a packet has besides (struct own), then includes this.
 */
#ifndef EDGE_BPF_PARSE_H
#define EDGE_BPF_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include "context_tc.h"

/*
 * A function that the verifier checks once, by itself, instead of anew on every path that leads to
 * it: without it the programs near the verifier's limit. Pointers to memory may be NULL for all it
 * knows.
 */
#define SLOW_PATH __attribute__((noinline))

#define FRAGMENT_OFFSET_BITS 0x1fff
#define FRAGMENT_MORE 0x2000
#define ICMP_HEADER_BYTES 8

/* From <linux/icmp.h> and <linux/if_packet.h>, which drag libc's headers in. */
#define ICMP_DEST_UNREACH 3
#define ICMP_SOURCE_QUENCH 4
#define ICMP_REDIRECT 5
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETERPROB 12
#define PACKET_HOST 0

/* The fields that a translation may change. Ports: TCP and UDP only. */
struct flow {
	__be32 source;
	__be32 destination;
	__be16 source_port;
	__be16 destination_port;
};

/* The packet quoted by an ICMP error, and what becomes of it. */
struct quote {
	struct flow from;
	struct flow to;
	struct iphdr header;
	__u16 offset; /* of the quoted header, in the frame */
	__u16 l4_bytes;
	__u8 header_bytes;
	bool first;
	bool has_ports;
	bool cut_short;
};

struct packet {
	struct flow from;
	struct flow to;
	__u32 total_bytes; /* IPv4 total length */
	__u32 l4_bytes;
	__be16 id;
	__u8 header_bytes;
	__u8 protocol;
	__u8 ttl;
	__u8 tos;
	__u8 icmp_type; /* ICMP, first, whole header only */
	bool first;
	bool more;
	bool is_error;
	bool dry;	  /* BPF_PROG_RUN for explain and the self-test: leave no trace */
	__u32 steps;	  /* enum explain_step */
	struct own own;	  /* the service's */
	__u32 out_ifindex;
	__s32 fib;
	struct quote quote; /* valid if is_error; last: it is only zeroed then */
};

static __always_inline bool has_ports(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

/* Where a protocol keeps its checksum over addresses; 0: no address change touches a checksum. */
static __always_inline __u32 checksum_offset(__u8 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return 16;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_DCCP:
		return 6;
	default:
		return 0;
	}
}

static __always_inline __u32 least_l4_bytes(__u8 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return 20;
	case IPPROTO_DCCP:
		return 12;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_ICMP:
		return 8;
	default:
		return 0;
	}
}

static __always_inline bool l4_cut_short(const struct packet *p)
{
	return p->first && p->l4_bytes < least_l4_bytes(p->protocol);
}

static __always_inline bool is_icmp_error(__u8 type)
{
	return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH ||
	       type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB;
}

/* Reads the quoted packet of an ICMP error into p->quote; says there if it is cut short. */
SLOW_PATH int parse_quote(struct __sk_buff *skb, struct packet *p)
{
	struct quote *q;
	__u32 available, offset;
	__be16 ports[2];

	if (!p)
		return 0;
	q = &p->quote;
	available = p->l4_bytes - ICMP_HEADER_BYTES;
	offset = ETH_HLEN + p->header_bytes + ICMP_HEADER_BYTES;
	__builtin_memset(q, 0, sizeof(*q));
	q->cut_short = true;
	q->offset = offset;
	if (p->l4_bytes < ICMP_HEADER_BYTES + sizeof(q->header))
		return 0;
	if (bpf_skb_load_bytes(skb, offset, &q->header, sizeof(q->header)))
		return 0;
	q->header_bytes = q->header.ihl * 4;
	if (q->header.version != 4 || q->header.ihl < 5 || q->header_bytes > available)
		return 0;
	q->cut_short = false;
	q->l4_bytes = available - q->header_bytes;
	q->first = !(q->header.frag_off & bpf_htons(FRAGMENT_OFFSET_BITS));
	q->from.source = q->header.saddr;
	q->from.destination = q->header.daddr;
	q->from.source_port = 0;
	q->from.destination_port = 0;
	if (q->first && has_ports(q->header.protocol) && q->l4_bytes >= sizeof(ports) &&
	    !bpf_skb_load_bytes(skb, offset + q->header_bytes, ports, sizeof(ports))) {
		q->has_ports = true;
		q->from.source_port = ports[0];
		q->from.destination_port = ports[1];
	}
	q->to = q->from;
	return 0;
}

/* The ICMP type and, if asked for, the ports. */
static __always_inline void parse_l4(struct __sk_buff *skb, struct packet *p, bool with_ports)
{
	__u32 offset = ETH_HLEN + p->header_bytes;
	__be16 ports[2];

	if (!p->first || l4_cut_short(p))
		return;
	if (has_ports(p->protocol)) {
		if (!with_ports)
			return;
		if (bpf_skb_load_bytes(skb, offset, ports, sizeof(ports)))
			return;
		p->from.source_port = p->to.source_port = ports[0];
		p->from.destination_port = p->to.destination_port = ports[1];
	} else if (p->protocol == IPPROTO_ICMP) {
		if (bpf_skb_load_bytes(skb, offset, &p->icmp_type, 1))
			return;
		if (!is_icmp_error(p->icmp_type))
			return;
		p->is_error = true;
		p->steps |= STEP_ICMP_ERROR;
		parse_quote(skb, p);
	}
}

/* Fills all of *p but the quote. Returns -1, or the reason to leave the frame as it is. */
static __always_inline int parse_ipv4(struct __sk_buff *skb, struct packet *p)
{
	const struct iphdr *ip;
	__u32 there;

	__builtin_memset(p, 0, offsetof(struct packet, quote));
	if (skb->protocol != bpf_htons(ETH_P_IP) || skb->vlan_present)
		return PASS_NOT_IPV4;
	ip = ipv4_header(skb);
	if (!ip || ip->version != 4 || ip->ihl < 5)
		return PASS_BAD_HEADER;
	there = skb->len - ETH_HLEN;
	p->header_bytes = ip->ihl * 4;
	p->total_bytes = bpf_ntohs(ip->tot_len);
	/* A "BIG TCP" super-packet does not fit the field, which is then 0. */
	if (!p->total_bytes && skb->gso_size)
		p->total_bytes = there;
	if (p->total_bytes < p->header_bytes || p->total_bytes > there)
		return PASS_BAD_HEADER;
	p->l4_bytes = p->total_bytes - p->header_bytes;
	p->from.source = p->to.source = ip->saddr;
	p->from.destination = p->to.destination = ip->daddr;
	p->id = ip->id;
	p->protocol = ip->protocol;
	p->ttl = ip->ttl;
	p->tos = ip->tos;
	p->first = !(ip->frag_off & bpf_htons(FRAGMENT_OFFSET_BITS));
	p->more = ip->frag_off & bpf_htons(FRAGMENT_MORE);
	return -1;
}

#endif
