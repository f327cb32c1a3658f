/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What every way out has in common: its counter, its explanation, its trace. */
#ifndef EDGE_BPF_FINISH_H
#define EDGE_BPF_FINISH_H

#include "dataplane_maps.h"
#include "parse.h"
#include "wire.h"

static __always_inline bool traced_address(const struct trace_config *trace,
					   const struct packet *p)
{
	return !trace->address || trace->address == p->from.source ||
	       trace->address == p->from.destination || trace->address == p->to.source ||
	       trace->address == p->to.destination;
}

SLOW_PATH int emit_trace(struct __sk_buff *skb, __u32 snap_bytes, __u32 reason, __u32 side)
{
	struct trace_event *event = bpf_ringbuf_reserve(&trace_events, sizeof(*event), 0);
	__u32 bytes = skb->len < snap_bytes ? skb->len : snap_bytes;

	if (!event)
		return 0;
	if (bytes > TRACE_SNAP_BYTES)
		bytes = TRACE_SNAP_BYTES;
	event->time_ns = bpf_ktime_get_ns();
	event->ifindex = skb->ifindex;
	event->reason = reason;
	event->frame_bytes = skb->len;
	event->after = side & 1;
	event->egress = side >> 1;
	if (bytes < 1 || bpf_skb_load_bytes(skb, 0, event->frame, bytes))
		bytes = 0;
	event->snap_bytes = bytes;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

static __always_inline const struct trace_config *tracing(const struct packet *p)
{
	__u32 first = 0;
	const struct trace_config *trace = bpf_map_lookup_elem(&trace_configs, &first);

	return trace && trace->enabled && !p->dry && traced_address(trace, p) ? trace : NULL;
}

/* The frame as it came. With a filter on the reason only the frame as it left is shown. */
static __always_inline void trace_before(struct __sk_buff *skb, const struct packet *p, bool egress)
{
	const struct trace_config *trace = tracing(p);

	if (trace && trace->reason < 0)
		emit_trace(skb, trace->snap_bytes, REASON_COUNT, egress << 1);
}

static __always_inline int finish(struct __sk_buff *skb, struct packet *p, __u32 reason,
				  int verdict, bool egress)
{
	const struct trace_config *trace = tracing(p);
	struct counter *counter;

	skb->cb[EXPLAIN_REASON] = reason;
	skb->cb[EXPLAIN_STEPS] = p->steps;
	explain(skb, p);
	if (trace && (trace->reason < 0 || trace->reason == (__s32)reason))
		emit_trace(skb, trace->snap_bytes, reason, egress << 1 | 1);
	if (p->dry)
		return verdict;
	counter = bpf_map_lookup_elem(&counters, &reason);
	if (counter) {
		counter->packets += wire_packets(skb);
		counter->bytes += wire_bytes(skb, p);
	}
	return verdict;
}

#endif
