/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* How an ingress program begins and ends. */
#ifndef EDGE_BPF_VERDICT_H
#define EDGE_BPF_VERDICT_H

#include <linux/pkt_cls.h>
#include "finish.h"
#include "forward.h"
#include "rewrite.h"

/* Marks, on the way from an ingress program to the egress one, a packet that is translated. */
#define TRANSLATED 0xed9e

enum { INGRESS, EGRESS };

/* Of a packet that is accepted the kernel sets tc_index to this; only at tc is it 0 before. */
static __always_inline void clear_classid(struct __sk_buff *skb)
{
	skb->tc_classid = 0;
}

static __always_inline int pass(struct __sk_buff *skb, struct packet *p, __u32 reason)
{
	skb->tc_index = 0;
	clear_classid(skb);
	return finish(skb, p, reason, TC_ACT_OK, INGRESS);
}

static __always_inline int drop(struct __sk_buff *skb, struct packet *p, __u32 reason)
{
	return finish(skb, p, reason, TC_ACT_SHOT, INGRESS);
}

static __always_inline int pass_or_drop(struct __sk_buff *skb, struct packet *p, __u32 reason)
{
	return reason >= DROP_MALFORMED ? drop(skb, p, reason) : pass(skb, p, reason);
}

/* Rewrites; redirects where `routed`, else gives the packet to the stack. */
static __always_inline int deliver(struct __sk_buff *skb, struct packet *p,
				   const struct bpf_fib_lookup *fib, bool routed, __u32 redirected,
				   __u32 to_stack)
{
	struct ethhdr *eth = rewrite(skb, p, routed);

	if (!eth)
		return drop(skb, p, DROP_REWRITE_FAILED);
	if (!routed)
		return pass(skb, p, to_stack);
	skb->tc_index = TRANSLATED;
	return finish(skb, p, redirected, send(p, eth, fib), INGRESS);
}

/* TTL and options are the stack's affair: it answers, or follows the options. */
static __always_inline bool needs_stack(struct packet *p)
{
	if (p->ttl <= 1)
		p->steps |= STEP_TTL_EXPIRES;
	if (p->header_bytes > sizeof(struct iphdr))
		p->steps |= STEP_IP_OPTIONS;
	return p->ttl <= 1 || p->header_bytes > sizeof(struct iphdr);
}

/* 0/8, 127/8, multicast and reserved (RFC 1812, 5.3.7). */
static __always_inline bool is_martian(__be32 address)
{
	__u8 first = bpf_ntohl(address) >> 24;

	return first == 0 || first == 127 || first >= 224;
}

/* Returns -1, or the reason to leave the frame. */
static __always_inline int receive(struct __sk_buff *skb, struct packet *p)
{
	int reason = parse_ipv4(skb, p);

	p->dry = !skb->ingress_ifindex;
	if (reason != PASS_NOT_IPV4 && skb->pkt_type != PACKET_HOST)
		reason = PASS_NOT_FOR_US;
	else if (reason < 0 && (is_martian(p->from.source) || is_martian(p->from.destination)))
		reason = PASS_MARTIAN;
	if (reason < 0)
		trace_before(skb, p, INGRESS);
	return reason;
}

#endif
