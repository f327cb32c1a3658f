/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * All that is peculiar to the tc hook: how bytes and checksums of an skb are reached. An XDP hook
 * brings a header of its own with the same functions; parse, resolve, limit and rewrite stay.
 */
#ifndef EDGE_BPF_CONTEXT_TC_H
#define EDGE_BPF_CONTEXT_TC_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <bpf/bpf_helpers.h>

#define ETH_AND_IPV4_BYTES (ETH_HLEN + sizeof(struct iphdr))

/* The frame's Ethernet and (option-less) IPv4 header, writable; NULL if the frame is shorter. */
static __always_inline void *frame_headers(struct __sk_buff *skb)
{
	void *frame = (void *)(long)skb->data;

	if (frame + ETH_AND_IPV4_BYTES <= (void *)(long)skb->data_end)
		return frame;
	if (bpf_skb_pull_data(skb, ETH_AND_IPV4_BYTES))
		return NULL;
	frame = (void *)(long)skb->data;
	if (frame + ETH_AND_IPV4_BYTES > (void *)(long)skb->data_end)
		return NULL;
	return frame;
}

static __always_inline struct iphdr *ipv4_header(struct __sk_buff *skb)
{
	void *frame = frame_headers(skb);

	return frame ? frame + ETH_HLEN : NULL;
}

/*
 * Updates an L4 checksum by a difference. Only the helper knows whether the checksum is whole,
 * partial (offload) or already summed up by the NIC. Addresses count in the pseudo header, ports do
 * not.
 */
static __always_inline int update_l4_checksum(struct __sk_buff *skb, __u32 offset, __u8 protocol,
					      __u32 difference, __u64 flags)
{
	/* 0 means "no checksum" and stays, a computed 0 becomes 0xffff (RFC 768, RFC 3828). */
	if (protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE)
		flags |= BPF_F_MARK_MANGLED_0;
	return bpf_l4_csum_replace(skb, offset, 0, difference, flags);
}

#endif
