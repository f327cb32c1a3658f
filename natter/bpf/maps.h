/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Every map of natter's own. Sizes are defaults: the daemon sets max_entries by its capacity. */
#ifndef EDGE_NATTER_MAPS_H
#define EDGE_NATTER_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "dataplane_maps.h"
#include "natter.h"

#define DEFAULT_EIPS 1048576
#define DEFAULT_FORWARDS 65536
#define DEFAULT_LIMITS 65536
#define DEFAULT_PAGES 16384

/* What has no page; see find.h. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DEFAULT_EIPS);
	__type(key, __be32);
	__type(value, struct mapping);
} eip_to_private SEC(".maps"), private_to_eip SEC(".maps");

/* The /24 of an address -> its page in the entries. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DEFAULT_PAGES);
	__type(key, __be32);
	__type(value, __u32);
} eip_pages SEC(".maps"), private_pages SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, (DEFAULT_PAGES + 1) * PAGE_ENTRIES);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct mapping);
} eip_entries SEC(".maps"), private_entries SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, DEFAULT_FORWARDS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct forward_key);
	__type(value, struct forward);
} forwards_in SEC(".maps"), forwards_out SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct fragment_key);
	__type(value, struct fragment);
} fragments SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DEFAULT_LIMITS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct slot_limits);
} slot_limits SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DEFAULT_LIMITS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct bucket_config);
} bucket_configs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DEFAULT_LIMITS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct bucket_state);
} bucket_states SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, DEFAULT_EIPS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct meter);
} meters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix_key);
	__type(value, __u32);
} internal_prefixes SEC(".maps");

#endif
