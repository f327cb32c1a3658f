// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The bench's packet sink, at the far end of a link: counts and drops, or keeps the last packet. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#define LINKS 256
#define CAPTURED_BYTES 60

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LINKS);
	__type(key, __u32);
	__type(value, __u64);
} arrived SEC(".maps");

struct capture {
	__u8 frame[CAPTURED_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LINKS);
	__type(key, __u32);
	__type(value, struct capture);
} captures SEC(".maps");

SEC("tc")
int count(struct __sk_buff *skb)
{
	__u32 link = skb->ifindex & (LINKS - 1);
	__u64 *packets = bpf_map_lookup_elem(&arrived, &link);

	if (packets)
		*packets += 1;
	return TC_ACT_SHOT;
}

SEC("tc")
int capture(struct __sk_buff *skb)
{
	__u32 link = skb->ifindex & (LINKS - 1);
	struct capture *last = bpf_map_lookup_elem(&captures, &link);

	if (last)
		bpf_skb_load_bytes(skb, 0, last->frame, CAPTURED_BYTES);
	return count(skb);
}

char _license[] SEC("license") = "Dual MIT/GPL";
