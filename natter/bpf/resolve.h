/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Who stands behind an address: docs/translation.md, sections 2 to 4. Each function returns
 * RESOLVED and has changed p->to (and p->quote.to), or the reason why not.
 */
#ifndef EDGE_NATTER_RESOLVE_H
#define EDGE_NATTER_RESOLVE_H

#include "find.h"
#include "maps.h"
#include "packet.h"

#define RESOLVED (-1)
#define FRAGMENT_LIFE_NS 2000000000ull

static __always_inline __be16 shifted_port(__be16 port, __u16 offset)
{
	return bpf_htons((__u16)(bpf_ntohs(port) + offset));
}

static __always_inline const struct forward *find_forward(void *map, __be32 address, __u8 protocol,
							  __be16 port)
{
	struct forward_key key = {
		.prefix_bits = 64, .address = address, .protocol = protocol, .port = port,
	};

	return bpf_map_lookup_elem(map, &key);
}

static __always_inline struct fragment_key fragment_key(const struct packet *p, __u8 outbound)
{
	return (struct fragment_key){
		.source = p->to.source,
		.destination = p->to.destination,
		.id = p->id,
		.protocol = p->protocol,
		.outbound = outbound,
	};
}

/* Where the first fragment went, or NULL. */
static __always_inline const struct fragment *find_fragment(struct packet *p, __u8 outbound)
{
	struct fragment_key key = fragment_key(p, outbound);
	const struct fragment *found = bpf_map_lookup_elem(&fragments, &key);

	if (!found || found->expires_ns <= bpf_ktime_get_ns())
		return NULL;
	p->steps |= STEP_FRAGMENT_FOUND;
	return found;
}

/* Call before p->to changes: the key is the packet as later fragments will show it. */
static __always_inline void remember_fragment(struct packet *p, __u8 outbound, __be32 address,
					      __u32 slot_flags)
{
	struct fragment_key key = fragment_key(p, outbound);
	struct fragment value = {
		.expires_ns = bpf_ktime_get_ns() + FRAGMENT_LIFE_NS,
		.address = address,
		.slot_flags = slot_flags,
	};

	if (p->more && !p->dry)
		bpf_map_update_elem(&fragments, &key, &value, BPF_ANY);
}

/* address, slot_flags: the mapping of p->to.destination. */
SLOW_PATH int resolve_error_in(struct packet *p, __be32 address, __u32 slot_flags)
{
	const struct forward *forward = NULL;
	struct quote *q;
	__be32 private;

	if (!p)
		return DROP_MALFORMED;
	q = &p->quote;
	if (q->cut_short)
		return DROP_MALFORMED;
	if (q->to.source != p->to.destination)
		return DROP_ERROR_MISMATCH;
	if ((slot_flags & SLOT_EIP_FORWARDS) && q->has_ports)
		forward = find_forward(&forwards_in, p->to.destination, q->header.protocol,
				       q->to.source_port);
	if (forward) {
		p->steps |= STEP_FORWARD_FOUND;
		private = forward->address;
		q->to.source_port = shifted_port(q->to.source_port, forward->port_offset);
	} else {
		private = address;
	}
	if (!private)
		return DROP_NO_FORWARD;
	p->to.destination = private;
	q->to.source = private;
	return RESOLVED;
}

SLOW_PATH int resolve_forward_in(struct packet *p, __be32 address, __u32 slot_flags)
{
	const struct forward *forward;
	const struct fragment *fragment;

	if (!p)
		return DROP_MALFORMED;
	if (!p->first) {
		fragment = find_fragment(p, 0);
		if (!fragment)
			return DROP_FRAGMENT_UNKNOWN;
		p->to.destination = fragment->address;
		return RESOLVED;
	}
	if (l4_cut_short(p))
		return DROP_MALFORMED;
	forward = find_forward(&forwards_in, p->to.destination, p->protocol,
			       p->to.destination_port);
	if (forward) {
		p->steps |= STEP_FORWARD_FOUND;
		remember_fragment(p, 0, forward->address, forward->slot_flags);
		p->to.destination = forward->address;
		p->to.destination_port = shifted_port(p->to.destination_port, forward->port_offset);
		return RESOLVED;
	}
	if (!address)
		return DROP_NO_FORWARD;
	remember_fragment(p, 0, address, slot_flags);
	p->to.destination = address;
	return RESOLVED;
}

/* m: the mapping of p->to.destination, an EIP. */
static __always_inline int resolve_in(struct packet *p, const struct mapping *m)
{
	p->steps |= STEP_EIP_FOUND;
	p->own.slot_flags = m->slot_flags;
	if (p->protocol == IPPROTO_ICMP && p->first) {
		if (l4_cut_short(p))
			return DROP_MALFORMED;
		if (p->icmp_type == ICMP_REDIRECT)
			return DROP_ICMP_REDIRECT;
		if (p->is_error)
			return resolve_error_in(p, m->address, m->slot_flags);
	}
	if ((m->slot_flags & SLOT_EIP_FORWARDS) && has_ports(p->protocol))
		return resolve_forward_in(p, m->address, m->slot_flags);
	if (!m->address)
		return DROP_NO_FORWARD;
	if (l4_cut_short(p))
		return DROP_MALFORMED;
	p->to.destination = m->address;
	return RESOLVED;
}

/* An ICMP error from inside: it is known by the packet that it quotes, whoever sent it. */
SLOW_PATH int resolve_error_out(struct packet *p, bool keep_source)
{
	struct mapping of_sender, of_quoted;
	const struct mapping *sender, *quoted;
	const struct forward *forward = NULL;
	struct quote *q;
	__be32 eip = 0;

	if (!p)
		return DROP_MALFORMED;
	q = &p->quote;
	sender = find_private(p->to.source, &of_sender);
	if (q->cut_short)
		return sender ? DROP_MALFORMED : PASS_NOT_EIP;
	quoted = find_private(q->to.destination, &of_quoted);
	if (quoted && (quoted->slot_flags & SLOT_PRIVATE_FORWARDED) && q->has_ports)
		forward = find_forward(&forwards_out, q->to.destination, q->header.protocol,
				       q->to.destination_port);
	if (forward) {
		p->steps |= STEP_FORWARD_FOUND;
		p->own.slot_flags = forward->slot_flags;
		eip = forward->address;
		q->to.destination_port = shifted_port(q->to.destination_port, forward->port_offset);
	} else if (quoted) {
		p->own.slot_flags = quoted->slot_flags;
		eip = quoted->address;
	}
	if (eip) {
		q->to.destination = eip;
		if (!keep_source)
			p->to.source = sender && sender->address ? sender->address : eip;
	} else if (sender && sender->address) {
		p->own.slot_flags = sender->slot_flags;
		p->to.source = sender->address;
	} else {
		return PASS_NOT_EIP;
	}
	p->steps |= STEP_PRIVATE_FOUND;
	return RESOLVED;
}

/* The outbound side of an address with port forwards, on it or on its EIP. */
SLOW_PATH int resolve_forward_out(struct packet *p, __be32 address, __u32 slot_flags)
{
	const struct forward *forward;
	const struct fragment *fragment;
	bool forwarded = slot_flags & SLOT_PRIVATE_FORWARDED;

	if (!p)
		return DROP_MALFORMED;
	if (!p->first) {
		if (!forwarded) {
			p->to.source = address;
			return address ? RESOLVED : PASS_NOT_EIP;
		}
		fragment = find_fragment(p, 1);
		if (!fragment)
			return DROP_FRAGMENT_UNKNOWN;
		p->own.slot_flags = fragment->slot_flags;
		p->to.source = fragment->address;
		return RESOLVED;
	}
	if (l4_cut_short(p))
		return DROP_MALFORMED;
	if (forwarded) {
		forward = find_forward(&forwards_out, p->to.source, p->protocol, p->to.source_port);
		if (forward) {
			p->steps |= STEP_FORWARD_FOUND;
			p->own.slot_flags = forward->slot_flags;
			remember_fragment(p, 1, forward->address, forward->slot_flags);
			p->to.source = forward->address;
			p->to.source_port = shifted_port(p->to.source_port, forward->port_offset);
			return RESOLVED;
		}
	}
	if (!address)
		return PASS_NOT_EIP;
	if ((slot_flags & SLOT_EIP_FORWARDS) &&
	    find_forward(&forwards_in, address, p->protocol, p->to.source_port))
		return DROP_PORT_TAKEN;
	if (forwarded)
		remember_fragment(p, 1, address, slot_flags);
	p->to.source = address;
	return RESOLVED;
}

/* m: the mapping of p->to.source, or NULL. keep_source: an error that this host made itself. */
static __always_inline int resolve_out(struct packet *p, const struct mapping *m, bool keep_source)
{
	const __u32 forwards = SLOT_PRIVATE_FORWARDED | SLOT_EIP_FORWARDS;

	if (p->is_error)
		return resolve_error_out(p, keep_source);
	if (!m)
		return PASS_NOT_EIP;
	p->steps |= STEP_PRIVATE_FOUND;
	p->own.slot_flags = m->slot_flags;
	if (p->protocol == IPPROTO_ICMP && l4_cut_short(p))
		return DROP_MALFORMED;
	if (p->protocol == IPPROTO_ICMP && p->first && p->icmp_type == ICMP_REDIRECT)
		return DROP_ICMP_REDIRECT;
	if ((m->slot_flags & forwards) && has_ports(p->protocol))
		return resolve_forward_out(p, m->address, m->slot_flags);
	if (!m->address)
		return PASS_NOT_EIP;
	if (l4_cut_short(p))
		return DROP_MALFORMED;
	p->to.source = m->address;
	return RESOLVED;
}

#endif
