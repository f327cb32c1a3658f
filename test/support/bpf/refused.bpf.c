/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* A program that the verifier refuses: it reads a map's value that may not be there. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} hash SEC(".maps");

SEC("tc")
int unchecked(struct __sk_buff *skb)
{
	__u32 key = skb->mark;
	__u32 *value = bpf_map_lookup_elem(&hash, &key);

	return *value;
}

char LICENSE[] SEC("license") = "GPL";
