// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The bench's packet source: run by BPF_PROG_RUN with live frames, each pass hands one UDP packet
 * of a 64-byte frame (60 and the check sequence) to the stack, as if its link had received it. The
 * frames' memory is recycled with what the data path made of it, so all headers are written anew
 * each time.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define FRAME_BYTES 60
#define NEAR_PORT 4242
#define FAR_PORTS 0x4000

/* Written by user space before each run; addresses in host order. */
struct plan {
	__u8 macs[12]; /* destination, source */
	__u32 near_base; /* the first EIP or private address */
	__u32 near_count;
	__u32 far_base; /* of 2^24 clients */
	__u32 outbound; /* 1: from near to far */
	__u32 flows;	/* a packet picks one at random; 0: each packet is a flow of its own */
};

struct progress {
	__u32 next_flow;
	__u32 random;
	__u64 packets;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct plan);
} plans SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct progress);
} progresses SEC(".maps");

/* Behind the Ethernet header. */
struct headers {
	struct iphdr ip;
	struct udphdr udp;
};

/* A permutation of the 32-bit numbers: each flow number has addresses and a port of its own. */
static __always_inline __u32 scramble(__u32 x)
{
	x ^= x >> 16;
	x *= 0x85ebca6b;
	x ^= x >> 13;
	x *= 0xc2b2ae35;
	return x ^ x >> 16;
}

static __always_inline __u16 folded(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

static __always_inline __u32 pick_flow(const struct plan *plan, struct progress *progress)
{
	if (!plan->flows)
		return progress->next_flow++;
	progress->random = progress->random * 1664525 + 1013904223;
	return (__u64)progress->random * plan->flows >> 32;
}

static __always_inline void write_addresses(struct headers *h, const struct plan *plan, __u32 flow)
{
	__u32 unique = scramble(flow);
	__u32 near = plan->near_base + (__u32)((__u64)unique * plan->near_count >> 32);
	__be32 far = bpf_htonl(plan->far_base + (unique >> 8));
	__be16 far_port = bpf_htons(FAR_PORTS + (unique & 0xff));
	__be16 near_port = bpf_htons(NEAR_PORT);

	near = bpf_htonl(near);
	h->ip.saddr = plan->outbound ? near : far;
	h->ip.daddr = plan->outbound ? far : near;
	h->udp.source = plan->outbound ? near_port : far_port;
	h->udp.dest = plan->outbound ? far_port : near_port;
}

static __always_inline void write_checksums(struct headers *h)
{
	__u64 addresses = (__u64)h->ip.saddr + h->ip.daddr;
	const __u32 *words = (const __u32 *)&h->ip;
	__u64 ip = addresses + words[0] + words[1] + words[2];
	__u64 udp = addresses + bpf_htons(IPPROTO_UDP) + h->udp.len + h->udp.len + h->udp.source +
		    h->udp.dest;
	__u16 udp_check = ~folded(udp);

	h->ip.check = ~folded(ip);
	h->udp.check = udp_check ? udp_check : 0xffff;
}

static __always_inline int write_packet(struct xdp_md *xdp, int verdict)
{
	void *frame = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	struct ethhdr *eth = frame;
	struct headers *h = (void *)(eth + 1);
	__u32 first = 0;
	const struct plan *plan = bpf_map_lookup_elem(&plans, &first);
	struct progress *progress = bpf_map_lookup_elem(&progresses, &first);

	if (!plan || !progress || frame + FRAME_BYTES > end)
		return XDP_ABORTED;
	__builtin_memcpy(eth, plan->macs, sizeof(plan->macs));
	eth->h_proto = bpf_htons(ETH_P_IP);
	__builtin_memset(&h->ip, 0, sizeof(h->ip));
	h->ip.version = 4;
	h->ip.ihl = 5;
	h->ip.tot_len = bpf_htons(FRAME_BYTES - ETH_HLEN);
	h->ip.frag_off = bpf_htons(0x4000); /* DF */
	h->ip.ttl = 64;
	h->ip.protocol = IPPROTO_UDP;
	h->udp.len = bpf_htons(FRAME_BYTES - ETH_HLEN - sizeof(h->ip));
	write_addresses(h, plan, pick_flow(plan, progress));
	write_checksums(h);
	progress->packets++;
	return verdict;
}

SEC("xdp")
int generate(struct xdp_md *xdp)
{
	return write_packet(xdp, XDP_PASS);
}

/* The floor: what a packet costs before the stack sees it. */
SEC("xdp")
int generate_and_drop(struct xdp_md *xdp)
{
	return write_packet(xdp, XDP_DROP);
}

char _license[] SEC("license") = "Dual MIT/GPL";
