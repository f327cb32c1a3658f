/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What a packet is to lb, besides what it is to any data plane (shared/bpf/include). */
#ifndef EDGE_LB_PACKET_H
#define EDGE_LB_PACKET_H

#include <linux/types.h>
#include <stdbool.h>
#include "lb.h"

struct own {
	__u32 server_slot;
	__u32 target_slot;
	__u32 flags; /* SERVER_* */
	__u32 hash;
	__be32 target; /* dsr: whose MAC the frame gets */
	bool opens;    /* counts as a connection */
};

#include "parse.h"

/* What `edgectl explain` is told besides the reason and the steps. */
static __always_inline void explain(struct __sk_buff *skb, const struct packet *p)
{
	skb->cb[EXPLAIN_SERVER] = p->own.server_slot;
	skb->cb[EXPLAIN_TARGET] = p->own.target_slot;
	skb->cb[EXPLAIN_HASH] = p->own.hash;
}

#endif
