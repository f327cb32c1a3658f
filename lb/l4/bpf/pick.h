/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Which target a packet of a server goes to: docs/balancing.md, K2, K4 and K8. */
#ifndef EDGE_LB_PICK_H
#define EDGE_LB_PICK_H

#include "find.h"
#include "hash.h"

#define SECOND_NS 1000000000
#define TCP_FLAGS_AT 13
#define TCP_SYN 0x02
#define TCP_RST 0x04

static __always_inline __u32 hash_source(const struct flow *f)
{
	return hash_end(hash_word(HASH_SEED, bpf_ntohl(f->source)), 1);
}

static __always_inline __u32 hash_addresses(const struct flow *f)
{
	__u32 hash = hash_word(HASH_SEED, bpf_ntohl(f->source));

	return hash_end(hash_word(hash, bpf_ntohl(f->destination)), 2);
}

static __always_inline __u32 hash_flow(const struct flow *f, __u8 protocol)
{
	__u32 ports = (__u32)bpf_ntohs(f->source_port) << 16 | bpf_ntohs(f->destination_port);
	__u32 hash = hash_word(HASH_SEED, bpf_ntohl(f->source));

	hash = hash_word(hash, bpf_ntohl(f->destination));
	return hash_end(hash_word(hash_word(hash, ports), protocol), 4);
}

/* The target in the table; leaves its slot in *slot. NULL: nobody. */
static __always_inline const struct target *pick_by_table(struct packet *p, __u32 pool, __u32 hash)
{
	void *table = bpf_map_lookup_elem(&tables, &pool);
	__u32 index = maglev_slot(hash);
	const struct target *target;
	const __u32 *slot;

	p->steps |= STEP_BY_TABLE;
	p->own.hash = hash;
	p->own.target_slot = 0;
	if (!table)
		return NULL;
	slot = bpf_map_lookup_elem(table, &index);
	if (!slot || !*slot)
		return NULL;
	target = bpf_map_lookup_elem(&targets, slot);
	if (!target || !target->address)
		return NULL;
	p->own.target_slot = *slot;
	return target;
}

/* What shows no ports, and fragments of UDP. */
static __always_inline const struct target *
pick_by_addresses(struct packet *p, const struct server *s, const struct flow *f)
{
	bool source = s->flags & SERVER_HASH_SOURCE;

	return pick_by_table(p, s->pool_slot, source ? hash_source(f) : hash_addresses(f));
}

static __always_inline const struct target *
pick_by_flow(struct packet *p, const struct server *s, const struct flow *f, __u8 protocol)
{
	bool source = s->flags & SERVER_HASH_SOURCE;

	return pick_by_table(p, s->pool_slot, source ? hash_source(f) : hash_flow(f, protocol));
}

static __always_inline struct connection_key connection_key(const struct flow *f, __u8 protocol)
{
	return (struct connection_key){
		.source = f->source,
		.destination = f->destination,
		.source_port = f->source_port,
		.destination_port = f->destination_port,
		.protocol = protocol,
	};
}

/* Below 0 where the clock that was written is a little ahead of the coarse one. */
static __always_inline __s64 elapsed_ns(__u64 since, __u64 now)
{
	return now - since;
}

static __always_inline bool is_idle(const struct connection *c, __u8 protocol, __u64 now)
{
	return elapsed_ns(c->seen_ns, now) >= (protocol == IPPROTO_UDP ? UDP_IDLE_NS : TCP_IDLE_NS);
}

/* The target of a known flow, while it may stay there. */
static __always_inline const struct target *
pick_by_connection(struct packet *p, const struct server *s, const struct connection *c)
{
	const struct target *target = bpf_map_lookup_elem(&targets, &c->target_slot);

	if (!target || target->generation != c->generation ||
	    ((target->flags & TARGET_GONE) && !(s->flags & SERVER_LEAVE))) {
		p->steps |= STEP_CONNECTION_LOST;
		return NULL;
	}
	p->steps |= STEP_CONNECTION_FOUND;
	p->own.target_slot = c->target_slot;
	return target;
}

/* In a flood of new flows the known ones stay known, and the hash alone picks for the others. */
static __always_inline bool pass_flood_gate(__u64 now)
{
	__u32 first = 0;
	struct new_connections *gate = bpf_map_lookup_elem(&new_connections, &first);

	if (!gate)
		return false;
	if (elapsed_ns(gate->since_ns, now) >= SECOND_NS) {
		gate->since_ns = now;
		gate->count = 0;
	}
	if (gate->count >= NEW_CONNECTIONS_PER_SECOND)
		return false;
	gate->count++;
	return true;
}

static __always_inline void remember_connection(struct packet *p, const struct connection_key *key,
						const struct target *target, __u64 now)
{
	struct connection value = {
		.seen_ns = now,
		.target_slot = p->own.target_slot,
		.generation = target->generation,
	};

	if (p->dry)
		return;
	if (!pass_flood_gate(now)) {
		p->steps |= STEP_FLOOD_GATE;
		return;
	}
	if (bpf_map_update_elem(&connections, key, &value, BPF_ANY))
		return;
	p->steps |= STEP_CONNECTION_WRITTEN;
	p->own.opens = p->protocol == IPPROTO_UDP;
}

static __always_inline const struct target *pick_for_syn(struct packet *p, const struct server *s)
{
	struct connection_key key = connection_key(&p->from, p->protocol);
	const struct target *target = pick_by_flow(p, s, &p->from, p->protocol);
	const struct connection *c;

	if (!target)
		return NULL;
	p->own.opens = true;
	c = bpf_map_lookup_elem(&connections, &key);
	if (c && !p->dry &&
	    (c->target_slot != p->own.target_slot || c->generation != target->generation))
		bpf_map_delete_elem(&connections, &key);
	return target;
}

/* A packet that shows its ports, and is no fragment of UDP. NULL: nobody. */
static __always_inline const struct target *pick(struct __sk_buff *skb, struct packet *p,
						 const struct server *s)
{
	struct connection_key key;
	const struct target *target;
	struct connection *c;
	__u8 flags = 0;
	__u64 now;

	if (p->protocol == IPPROTO_TCP) {
		if (bpf_skb_load_bytes(skb, ETH_HLEN + p->header_bytes + TCP_FLAGS_AT, &flags, 1))
			return NULL;
		if (flags & TCP_SYN)
			return pick_for_syn(p, s);
	}
	now = bpf_ktime_get_coarse_ns();
	key = connection_key(&p->from, p->protocol);
	c = bpf_map_lookup_elem(&connections, &key);
	if (c && !is_idle(c, p->protocol, now)) {
		target = pick_by_connection(p, s, c);
		if (target) {
			if (elapsed_ns(c->seen_ns, now) >= SECOND_NS && !p->dry)
				c->seen_ns = now;
			return target;
		}
	}
	target = pick_by_flow(p, s, &p->from, p->protocol);
	if (target && !(flags & TCP_RST))
		remember_connection(p, &key, target, now);
	return target;
}

/* For an ICMP error: flow is the quoted packet's, turned round. Errors leave connections alone. */
static __always_inline const struct target *
pick_for_error(struct packet *p, const struct server *s, const struct flow *f, __u8 protocol)
{
	struct connection_key key = connection_key(f, protocol);
	const struct connection *c = bpf_map_lookup_elem(&connections, &key);
	const struct target *target;

	if (c && !is_idle(c, protocol, bpf_ktime_get_coarse_ns())) {
		target = pick_by_connection(p, s, c);
		if (target)
			return target;
	}
	return pick_by_flow(p, s, f, protocol);
}

#endif
