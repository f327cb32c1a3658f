/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The maps of every data plane. */
#ifndef EDGE_BPF_DATAPLANE_MAPS_H
#define EDGE_BPF_DATAPLANE_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "packet.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, REASON_COUNT);
	__type(key, __u32);
	__type(value, struct counter);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct link);
} links SEC(".maps");

/* When each next hop was last sent to through the neighbour table (see forward.h). */
#define NEIGHBOUR_CHECKS 1024
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NEIGHBOUR_CHECKS);
	__type(key, __u32);
	__type(value, __u64);
} neighbour_checks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct trace_config);
} trace_configs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} trace_events SEC(".maps");

#endif
