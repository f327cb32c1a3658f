/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What becomes of a packet: docs/balancing.md, K4 to K8. Each function returns RESOLVED and has
 * filled p->own and, unless it is for dsr, p->to and p->quote.to; or NOT_OURS; or the reason to
 * drop.
 */
#ifndef EDGE_LB_RESOLVE_H
#define EDGE_LB_RESOLVE_H

#include "find.h"
#include "pick.h"

#define RESOLVED (-1)
#define NOT_OURS (-2)

static __always_inline __be16 shifted_port(__be16 port, __u16 offset)
{
	return bpf_htons((__u16)(bpf_ntohs(port) + offset));
}

static __always_inline void note_server(struct packet *p, const struct server *s)
{
	p->steps |= STEP_SERVER_FOUND;
	p->own.server_slot = s->slot;
	p->own.flags = s->flags;
}

/* The port that the target has for this one of the server's. */
static __always_inline __be16 target_port(const struct server *s, const struct target *t,
					  __be16 port)
{
	if (!t->port)
		return port;
	return shifted_port(t->port, bpf_ntohs(port) - bpf_ntohs(s->first_port));
}

static __always_inline int lead_to(struct packet *p, const struct server *s, const struct target *t)
{
	if (!t)
		return DROP_NO_TARGET;
	p->own.target = t->address;
	if (p->own.flags & SERVER_DSR)
		return RESOLVED;
	p->to.destination = t->address;
	if (p->first)
		p->to.destination_port = target_port(s, t, p->from.destination_port);
	return RESOLVED;
}

/* An ICMP error that came to p->from.destination. */
SLOW_PATH int resolve_error_in(struct packet *p)
{
	const struct server *s;
	const struct target *t;
	struct flow turned;
	struct quote *q;
	__u8 protocol;

	if (!p)
		return NOT_OURS;
	q = &p->quote;
	if (q->cut_short)
		return is_vip(p->from.destination) ? DROP_MALFORMED : NOT_OURS;
	protocol = q->header.protocol;
	if (!has_ports(protocol))
		return NOT_OURS;
	s = q->has_ports ? find_server(p->from.destination, protocol, q->from.source_port)
			 : find_vip(p->from.destination, protocol);
	if (!s)
		return NOT_OURS;
	if (q->from.source != p->from.destination)
		return DROP_ERROR_MISMATCH;
	if (!q->has_ports && !(s->flags & SERVER_ONLY))
		return DROP_ERROR_MISMATCH;
	note_server(p, s);
	turned = (struct flow){
		.source = q->from.destination,
		.destination = q->from.source,
		.source_port = q->from.destination_port,
		.destination_port = q->from.source_port,
	};
	t = q->has_ports ? pick_for_error(p, s, &turned, protocol)
			 : pick_by_addresses(p, s, &turned);
	if (!t)
		return DROP_NO_TARGET;
	p->own.target = t->address;
	if (s->flags & SERVER_DSR)
		return RESOLVED;
	p->to.destination = t->address;
	q->to.source = t->address;
	if (q->has_ports)
		q->to.source_port = target_port(s, t, q->from.source_port);
	return RESOLVED;
}

static __always_inline int resolve_later_in(struct packet *p)
{
	const struct server *vip = find_vip(p->from.destination, p->protocol);
	const struct fragment *fragment;

	if (!vip)
		return NOT_OURS;
	fragment = find_fragment(p, 0);
	if (!fragment) {
		if (!(vip->flags & SERVER_ONLY))
			return DROP_FRAGMENT_UNKNOWN;
		note_server(p, vip);
		return lead_to(p, vip, pick_by_addresses(p, vip, &p->from));
	}
	if (!fragment->address)
		return NOT_OURS;
	p->own.server_slot = fragment->server_slot;
	p->own.target_slot = fragment->target_slot;
	p->own.flags = fragment->flags;
	p->own.target = fragment->address;
	if (!(fragment->flags & SERVER_DSR))
		p->to.destination = fragment->address;
	return RESOLVED;
}


/* TCP or UDP: fragments, and what is cut short. */
SLOW_PATH int resolve_fragment_in(struct __sk_buff *skb, struct packet *p)
{
	const struct server *s;
	int reason;

	if (!p)
		return NOT_OURS;
	if (!p->first)
		return resolve_later_in(p);
	if (l4_cut_short(p))
		return find_vip(p->from.destination, p->protocol) ? DROP_MALFORMED : NOT_OURS;
	s = find_server(p->from.destination, p->protocol, p->from.destination_port);
	if (!s) {
		if (find_vip(p->from.destination, p->protocol))
			remember_fragment(p, 0, 0);
		return NOT_OURS;
	}
	note_server(p, s);
	reason = lead_to(p, s, p->protocol == IPPROTO_UDP ? pick_by_addresses(p, s, &p->from)
							  : pick(skb, p, s));
	if (reason == RESOLVED)
		remember_fragment(p, 0, p->own.target);
	return reason;
}

static __always_inline int resolve_in(struct __sk_buff *skb, struct packet *p)
{
	const struct server *s;

	if (has_ports(p->protocol)) {
		if (p->more || !p->first || l4_cut_short(p))
			return resolve_fragment_in(skb, p);
		s = find_server(p->from.destination, p->protocol, p->from.destination_port);
		if (!s)
			return NOT_OURS;
		note_server(p, s);
		return lead_to(p, s, pick(skb, p, s));
	}
	if (p->is_error)
		return resolve_error_in(p);
	if (p->icmp_type == ICMP_REDIRECT && is_vip(p->from.destination))
		return DROP_ICMP_REDIRECT;
	return NOT_OURS;
}

static __always_inline void answer_as(struct packet *p, const struct reverse *r)
{
	p->steps |= STEP_REVERSE_FOUND;
	p->own.server_slot = r->server_slot;
	p->own.target_slot = r->target_slot;
	p->to.source = r->address;
	if (p->first)
		p->to.source_port = shifted_port(p->from.source_port, r->port_offset);
}

/* An error about what a target was sent, by itself or by a router before it. */
SLOW_PATH int resolve_error_out(struct packet *p)
{
	const struct reverse *r;
	struct quote *q;
	__u8 protocol;

	if (!p)
		return NOT_OURS;
	q = &p->quote;
	if (q->cut_short)
		return is_target(p->from.source) ? DROP_MALFORMED : NOT_OURS;
	protocol = q->header.protocol;
	if (!has_ports(protocol))
		return NOT_OURS;
	r = q->has_ports ? find_reverse(q->from.destination, protocol, q->from.destination_port)
			 : find_target(q->from.destination, protocol);
	if (!r)
		return NOT_OURS;
	if (q->from.source != p->from.destination)
		return DROP_ERROR_MISMATCH;
	if (!q->has_ports && !(r->flags & REVERSE_ONLY))
		return DROP_ERROR_MISMATCH;
	p->steps |= STEP_REVERSE_FOUND;
	p->own.server_slot = r->server_slot;
	p->own.target_slot = r->target_slot;
	q->to.destination = r->address;
	if (q->has_ports)
		q->to.destination_port = shifted_port(q->from.destination_port, r->port_offset);
	if (p->from.source == q->from.destination)
		p->to.source = r->address;
	return RESOLVED;
}

/* TCP or UDP: fragments, and what is cut short. */
SLOW_PATH int resolve_fragment_out(struct packet *p)
{
	const struct fragment *fragment;
	const struct reverse *r;

	if (!p)
		return NOT_OURS;
	r = find_target(p->from.source, p->protocol);
	if (!r)
		return NOT_OURS;
	if (p->first) {
		if (l4_cut_short(p))
			return DROP_MALFORMED;
		r = find_reverse(p->from.source, p->protocol, p->from.source_port);
		if (!r) {
			remember_fragment(p, 1, 0);
			return NOT_OURS;
		}
		answer_as(p, r);
		return RESOLVED;
	}
	fragment = find_fragment(p, 1);
	if (!fragment) {
		if (!(r->flags & REVERSE_ONLY))
			return DROP_FRAGMENT_UNKNOWN;
		answer_as(p, r);
		return RESOLVED;
	}
	if (!fragment->address)
		return NOT_OURS;
	p->steps |= STEP_REVERSE_FOUND;
	p->own.server_slot = fragment->server_slot;
	p->own.target_slot = fragment->target_slot;
	p->to.source = fragment->address;
	return RESOLVED;
}

/* What a target, or a router before it, sends. A first fragment is not remembered yet. */
static __always_inline int resolve_out(struct packet *p)
{
	const struct reverse *r;

	if (has_ports(p->protocol)) {
		if (p->more || !p->first || l4_cut_short(p))
			return resolve_fragment_out(p);
		r = find_reverse(p->from.source, p->protocol, p->from.source_port);
		if (!r)
			return NOT_OURS;
		answer_as(p, r);
		return RESOLVED;
	}
	if (p->is_error)
		return resolve_error_out(p);
	if (p->icmp_type == ICMP_REDIRECT && is_target(p->from.source))
		return DROP_ICMP_REDIRECT;
	return NOT_OURS;
}

/* Once it is clear that the packet is translated here. */
static __always_inline void remember_out(const struct packet *p)
{
	if (p->more && p->first && has_ports(p->protocol))
		remember_fragment(p, 1, p->to.source);
}

#endif
