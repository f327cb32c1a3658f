/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * One map of every type that shared/bpf serves, and small programs that use them. The conformance
 * suite (test/support/bpf-conformance/) runs the same cases on this object and on the fake.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum colour { RED, GREEN = 7, BLUE = -1 };

struct shape {
	__u64 bytes;
	__be32 address;
	__be16 port;
	__u8 protocol;
	__u8 zero;
	__s32 delta;
	__u32 words[3];
	enum colour colour;
	__u8 tag[6];
	__u16 half;
};

struct prefix {
	__u32 prefix_bits;
	__be32 address;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct shape);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} array SEC(".maps");

/* A value of 12 bytes: entries stand 16 bytes apart in view(). */
struct triple {
	__u32 words[3];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct triple);
} mapped SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct triple);
} percpu_array SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} percpu_hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u32);
} lru SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 32);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __u32);
} lpm SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 5);
	__type(key, __u32);
	__type(value, __u32);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 3);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps");

const volatile __u32 verdict = 0;
const volatile __u16 small = 3;

/* Answers with the constant; shows what it was given, counts, and tells the ring buffer. */
SEC("tc")
int observe(struct __sk_buff *skb)
{
	__u32 key = 0;
	struct triple *count = bpf_map_lookup_elem(&mapped, &key);
	__u32 *event;

	if (count)
		__sync_fetch_and_add(&count->words[0], 1);

	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (event) {
		*event = skb->len;
		bpf_ringbuf_submit(event, 0);
	}

	skb->cb[0] = skb->ifindex;
	skb->cb[1] = skb->ingress_ifindex;
	skb->cb[2] = skb->gso_segs;
	skb->cb[3] = skb->cb[3] + small;
	skb->mark = skb->mark + 1;
	return verdict;
}

/* Writes the source address over the destination address. */
SEC("tc")
int mirror(struct __sk_buff *skb)
{
	__u8 source[ETH_ALEN];

	if (bpf_skb_load_bytes(skb, ETH_ALEN, source, ETH_ALEN))
		return TC_ACT_SHOT;
	bpf_skb_store_bytes(skb, 0, source, ETH_ALEN, 0);
	return TC_ACT_UNSPEC;
}

/* What is at cb[1] of the map at cb[0] of the outer one. */
SEC("tc")
int look_inside(struct __sk_buff *skb)
{
	__u32 at = skb->cb[0], key = skb->cb[1], *value;
	void *inner = bpf_map_lookup_elem(&outer, &at);

	if (!inner)
		return TC_ACT_SHOT;
	value = bpf_map_lookup_elem(inner, &key);
	skb->cb[2] = value ? *value : 0;
	return TC_ACT_OK;
}

SEC("xdp")
int bounce(struct xdp_md *context)
{
	__u8 *data = (void *)(long)context->data;
	__u8 *end = (void *)(long)context->data_end;
	__u32 key = context->ingress_ifindex;
	__u64 one = 1, *seen = bpf_map_lookup_elem(&percpu_hash, &key);

	if (seen)
		*seen += 1;
	else
		bpf_map_update_elem(&percpu_hash, &key, &one, BPF_ANY);
	if (data + ETH_HLEN > end)
		return XDP_DROP;
	data[0] = 0xee;
	return XDP_TX;
}

char LICENSE[] SEC("license") = "GPL";
