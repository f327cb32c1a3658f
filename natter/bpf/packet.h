/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What a packet is to natter, besides what it is to any data plane (shared/bpf/include). */
#ifndef EDGE_NATTER_PACKET_H
#define EDGE_NATTER_PACKET_H

#include <linux/types.h>
#include "natter.h"

struct own {
	__u32 slot_flags; /* of the last mapping found */
};

#include "parse.h"

static __always_inline void parse_natter_l4(struct __sk_buff *skb, struct packet *p,
					    __u32 slot_flags)
{
	parse_l4(skb, p, slot_flags & (SLOT_EIP_FORWARDS | SLOT_PRIVATE_FORWARDED));
}

/* What `edgectl explain` is told besides the reason and the steps. */
static __always_inline void explain(struct __sk_buff *skb, const struct packet *p)
{
	skb->cb[EXPLAIN_SLOT] = p->own.slot_flags & SLOT_MASK;
	skb->cb[EXPLAIN_IFINDEX] = p->out_ifindex;
	skb->cb[EXPLAIN_FIB] = p->fib;
}

#endif
