/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What a frame is on the wire: a GSO packet becomes many. */
#ifndef EDGE_BPF_WIRE_H
#define EDGE_BPF_WIRE_H

#include "parse.h"

/* Each segment of a GSO packet has headers of its own. */
static __always_inline __u32 wire_packets(const struct __sk_buff *skb)
{
	return skb->gso_segs > 1 ? skb->gso_segs : 1;
}

static __always_inline __u32 gso_header_bytes(struct __sk_buff *skb, const struct packet *p)
{
	__u32 bytes = ETH_HLEN + p->header_bytes;
	__u8 tcp_offset;

	if (p->protocol != IPPROTO_TCP)
		return bytes + 8;
	if (bpf_skb_load_bytes(skb, bytes + 12, &tcp_offset, 1))
		return bytes + 20;
	return bytes + (tcp_offset >> 4) * 4;
}

static __always_inline __u32 wire_bytes(struct __sk_buff *skb, const struct packet *p)
{
	__u32 packets = wire_packets(skb);

	if (packets == 1)
		return skb->len;
	return skb->len + (packets - 1) * gso_header_bytes(skb, p);
}

#endif
