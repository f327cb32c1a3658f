/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Bandwidth limits and meters: docs/translation.md, section 5.
 *
 * A bucket is one instant, paid_until: all bytes sent so far are paid for up to then. A packet is
 * let through while that lies in the past and moves it on by its cost, so there is one word to
 * update and a packet larger than what is left passes once and is paid for afterwards (which a GSO
 * packet needs).
 * A bucket keeps no more unused time than its burst. But for PAUSE_NS after a refusal it keeps all
 * that it earns: over a short path TCP cannot send slower than two segments a round trip, so it
 * answers a limit by running into retransmission timeouts of 200 ms, and would lose those for good.
 * The last part of the burst is kept for flows below their fair share: a bulk flow that fills the
 * limit never finds the bucket empty for a slow one.
 */
#ifndef EDGE_NATTER_LIMIT_H
#define EDGE_NATTER_LIMIT_H

#include "maps.h"
#include "packet.h"
#include "wire.h"

#define WINDOW_SHIFT 26 /* 67 ms */
#define CHARGE_ATTEMPTS 4
#define PAUSE_NS 1000000000ull

/* Whether the flow of this packet has had less than its fair share of the bucket lately. */
static __always_inline bool below_fair_share(struct bucket_state *state, __u64 cost_per_byte,
					     struct bucket_flow *flow, __u32 window, __u32 bytes)
{
	__u64 window_bytes = (1ull << (WINDOW_SHIFT + BUCKET_COST_SHIFT)) / cost_per_byte;
	__u32 age = window - flow->window;

	if (state->window != window) {
		state->flows_before = state->window + 1 == window ? state->flows_now : 0;
		state->flows_now = 0;
		state->window = window;
	}
	if (age) {
		flow->bytes = age > 15 ? 0 : flow->bytes >> age;
		flow->window = window;
		state->flows_now++;
	}
	return ((__u64)flow->bytes + bytes) * (state->flows_before + 1) <= window_bytes;
}

struct bucket {
	const struct bucket_config *config;
	struct bucket_state *state;
	struct bucket_flow *flow;
};

static __always_inline bool find_bucket(__u32 id, __u32 flow_hash, struct bucket *bucket)
{
	if (!id)
		return false;
	bucket->config = bpf_map_lookup_elem(&bucket_configs, &id);
	bucket->state = bpf_map_lookup_elem(&bucket_states, &id);
	if (!bucket->config || !bucket->state || !bucket->config->cost_per_byte)
		return false;
	bucket->flow = &bucket->state->flows[flow_hash & (BUCKET_FLOWS - 1)];
	return true;
}

static __always_inline bool admits(struct bucket *bucket, __u64 now, __u32 bytes)
{
	const struct bucket_config *config = bucket->config;
	__s64 unused = now - bucket->state->paid_until_ns;
	bool light = below_fair_share(bucket->state, config->cost_per_byte, bucket->flow,
				      now >> WINDOW_SHIFT, bytes);

	if (unused > (light ? 0 : (__s64)config->reserve_ns))
		return true;
	bucket->state->refused_ns = now;
	return false;
}

static __always_inline void charge(struct bucket *bucket, __u64 now, __u32 bytes)
{
	__u64 cost = (bytes * bucket->config->cost_per_byte) >> BUCKET_COST_SHIFT;
	__u64 kept = bucket->config->burst_ns;
	__u64 *paid_until = &bucket->state->paid_until_ns;
	__u64 oldest;

	if (kept < PAUSE_NS && now - bucket->state->refused_ns < PAUSE_NS)
		kept = PAUSE_NS;
	oldest = now - kept;
	bucket->flow->bytes += bytes;
	for (int i = 0; i < CHARGE_ATTEMPTS; i++) {
		__u64 before = *(volatile __u64 *)paid_until;
		__u64 from = (__s64)(before - oldest) < 0 ? oldest : before;

		if (__sync_val_compare_and_swap(paid_until, before, from + cost) == before)
			return;
	}
	__sync_fetch_and_add(paid_until, cost);
}

/* Returns -1 and charges, or the index of the bucket that refused: 0 own, 1 group. */
SLOW_PATH int check_limits(struct __sk_buff *skb, __u32 own_id, __u32 group_id, __u32 bytes)
{
	struct bucket own, group;
	__u64 now = bpf_ktime_get_ns();
	__u32 flow_hash = bpf_get_hash_recalc(skb);
	bool has_own = find_bucket(own_id, flow_hash, &own);
	bool has_group = find_bucket(group_id, flow_hash, &group);

	if (has_own && !admits(&own, now, bytes))
		return 0;
	if (has_group && !admits(&group, now, bytes))
		return 1;
	if (has_own)
		charge(&own, now, bytes);
	if (has_group)
		charge(&group, now, bytes);
	return -1;
}

/* Returns -1, or the reason to drop. */
static __always_inline int limit(struct __sk_buff *skb, struct packet *p, __u32 slot_flags,
				 bool inbound)
{
	__u32 slot = slot_flags & SLOT_MASK;
	const struct slot_limits *limits;
	__u32 own, group;
	int refused;

	if (!(slot_flags & (inbound ? SLOT_LIMIT_IN : SLOT_LIMIT_OUT)))
		return -1;
	limits = bpf_map_lookup_elem(&slot_limits, &slot);
	if (!limits)
		return -1;
	own = inbound ? limits->in_bucket : limits->out_bucket;
	group = inbound ? limits->in_group_bucket : limits->out_group_bucket;
	p->steps |= (own ? STEP_LIMIT_CHECKED : 0) | (group ? STEP_GROUP_LIMIT_CHECKED : 0);
	if (p->dry)
		return -1;
	refused = check_limits(skb, own, group, wire_bytes(skb, p));
	if (refused < 0)
		return -1;
	if (refused)
		return inbound ? DROP_GROUP_LIMIT_IN : DROP_GROUP_LIMIT_OUT;
	return inbound ? DROP_LIMIT_IN : DROP_LIMIT_OUT;
}

/*
 * Among many EIPs the meter is in no cache. Reading it as soon as the slot is known lets the CPU
 * fetch it while it works on; an atomic add would wait for it.
 */
static __always_inline void fetch_meter(__u32 slot_flags)
{
	__u32 slot = slot_flags & SLOT_MASK;
	struct meter *meter = bpf_map_lookup_elem(&meters, &slot);

	if (meter)
		*(volatile __u64 *)&meter->in_packets;
}

static __always_inline void meter(struct __sk_buff *skb, const struct packet *p, __u32 slot_flags,
				  bool inbound)
{
	__u32 slot = slot_flags & SLOT_MASK;
	struct meter *meter;

	if (p->dry)
		return;
	meter = bpf_map_lookup_elem(&meters, &slot);
	if (!meter)
		return;
	__sync_fetch_and_add(inbound ? &meter->in_packets : &meter->out_packets, wire_packets(skb));
	__sync_fetch_and_add(inbound ? &meter->in_bytes : &meter->out_bytes, wire_bytes(skb, p));
}

#endif
