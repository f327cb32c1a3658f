// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * natter's four tc programs; the rules they follow, one by one, are in docs/translation.md.
 * Default verdict: TC_ACT_OK. What is not an EIP's passes untouched; a packet that is an EIP's is
 * translated or dropped, never sent on as it came.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include "find.h"
#include "finish.h"
#include "forward.h"
#include "limit.h"
#include "resolve.h"
#include "verdict.h"

static __always_inline int inbound(struct __sk_buff *skb, struct packet *p, const struct mapping *m)
{
	struct bpf_fib_lookup fib = {};
	bool routed;
	int reason, verdict;

	fetch_meter(m->slot_flags);
	parse_natter_l4(skb, p, m->slot_flags);
	reason = resolve_in(p, m);
	if (reason != RESOLVED)
		return drop(skb, p, reason);
	reason = limit(skb, p, p->own.slot_flags, true);
	if (reason >= 0)
		return drop(skb, p, reason);
	routed = !needs_stack(p) && ask_fib(skb, p, p->to.source, p->to.destination, &fib) ==
					    BPF_FIB_LKUP_RET_SUCCESS;
	verdict = deliver(skb, p, &fib, routed, IN_REDIRECTED, IN_TO_STACK);
	meter(skb, p, p->own.slot_flags, true);
	return verdict;
}

/* From one VM to the EIP of another, or to its own: both translations at once. */
SLOW_PATH int hairpin(struct __sk_buff *skb, struct packet *p)
{
	struct mapping of_sender, of_target;
	const struct mapping *sender, *target;
	struct bpf_fib_lookup fib = {};
	__u32 out_slot_flags;
	bool routed;
	int reason;

	if (!p)
		return TC_ACT_SHOT;
	sender = find_private(p->from.source, &of_sender);
	target = find_eip(p->from.destination, &of_target);
	if (!target)
		return drop(skb, p, DROP_REWRITE_FAILED);
	p->steps |= STEP_HAIRPIN;
	reason = resolve_out(p, sender, false);
	if (reason == PASS_NOT_EIP)
		return pass(skb, p, PASS_HAIRPIN_UNMAPPED);
	out_slot_flags = p->own.slot_flags;
	if (reason == RESOLVED)
		reason = resolve_in(p, target);
	if (reason != RESOLVED)
		return drop(skb, p, reason);
	reason = limit(skb, p, out_slot_flags, false);
	if (reason >= 0) {
		p->own.slot_flags = out_slot_flags; /* explain names the slot that refused */
		return drop(skb, p, reason);
	}
	reason = limit(skb, p, p->own.slot_flags, true);
	if (reason >= 0)
		return drop(skb, p, reason);
	meter(skb, p, out_slot_flags, false);
	meter(skb, p, p->own.slot_flags, true);
	routed = !needs_stack(p) && ask_fib(skb, p, p->to.source, p->to.destination, &fib) ==
					    BPF_FIB_LKUP_RET_SUCCESS;
	return deliver(skb, p, &fib, routed, HAIRPIN_REDIRECTED, HAIRPIN_TO_STACK);
}

static __always_inline bool is_internal(__be32 address)
{
	struct prefix_key key = {.prefix_bits = 32, .address = address};
	struct mapping mapping;

	return find_private(address, &mapping) ||
	       bpf_map_lookup_elem(&internal_prefixes, &key);
}

static __always_inline int outbound(struct __sk_buff *skb, struct packet *p,
				    const struct mapping *sender, bool one_armed)
{
	struct bpf_fib_lookup fib = {};
	struct mapping of_quoted;
	int reason, verdict;

	if (!sender && !(p->is_error && !p->quote.cut_short &&
			 find_private(p->quote.from.destination, &of_quoted)))
		return pass(skb, p, PASS_NOT_EIP);
	if (one_armed && is_internal(p->from.destination))
		return pass(skb, p, PASS_NOT_OUTBOUND);
	if (needs_stack(p))
		return pass(skb, p, PASS_TO_STACK_OUT);
	switch (ask_fib(skb, p, p->from.source, p->from.destination, &fib)) {
	case BPF_FIB_LKUP_RET_SUCCESS:
		if (!leads_to_uplink(fib.ifindex))
			return pass(skb, p, PASS_NOT_OUTBOUND);
		break;
	case BPF_FIB_LKUP_RET_NO_NEIGH:
		if (!leads_to_uplink(fib.ifindex))
			return pass(skb, p, PASS_NOT_OUTBOUND);
		return pass(skb, p, PASS_TO_STACK_OUT);
	case BPF_FIB_LKUP_RET_NOT_FWDED:
		return pass(skb, p, PASS_NOT_OUTBOUND);
	default:
		return pass(skb, p, PASS_TO_STACK_OUT);
	}
	reason = resolve_out(p, sender, false);
	if (reason != RESOLVED)
		return pass_or_drop(skb, p, reason);
	reason = limit(skb, p, p->own.slot_flags, false);
	if (reason >= 0)
		return drop(skb, p, reason);
	verdict = deliver(skb, p, &fib, true, OUT_REDIRECTED, OUT_REDIRECTED);
	meter(skb, p, p->own.slot_flags, false);
	return verdict;
}

static __always_inline int from_inside(struct __sk_buff *skb, struct packet *p, bool one_armed)
{
	struct mapping of_sender, of_target;
	const struct mapping *sender = find_private(p->from.source, &of_sender);
	const struct mapping *target;
	__u32 slot_flags = 0;

	if (sender) {
		slot_flags = sender->slot_flags;
		fetch_meter(slot_flags);
	}
	target = find_eip(p->from.destination, &of_target);
	if (target)
		slot_flags |= target->slot_flags;
	parse_natter_l4(skb, p, slot_flags);
	if (target)
		return hairpin(skb, p);
	return outbound(skb, p, sender, one_armed);
}

SEC("tc")
int natter_uplink(struct __sk_buff *skb)
{
	struct packet p;
	struct mapping mapping;
	const struct mapping *m;
	int reason = receive(skb, &p);

	if (reason >= 0)
		return pass(skb, &p, reason);
	m = find_eip(p.from.destination, &mapping);
	if (!m)
		return pass(skb, &p, PASS_NOT_EIP);
	return inbound(skb, &p, m);
}

SEC("tc")
int natter_inside(struct __sk_buff *skb)
{
	struct packet p;
	int reason = receive(skb, &p);

	if (reason >= 0)
		return pass(skb, &p, reason);
	return from_inside(skb, &p, false);
}

SEC("tc")
int natter_onearm(struct __sk_buff *skb)
{
	struct packet p;
	struct mapping mapping, of_sender;
	const struct mapping *m;
	int reason = receive(skb, &p);

	if (reason >= 0)
		return pass(skb, &p, reason);
	m = find_eip(p.from.destination, &mapping);
	if (m && !find_private(p.from.source, &of_sender))
		return inbound(skb, &p, m);
	return from_inside(skb, &p, true);
}

/* What the stack sends, and the ICMP errors that it made about packets it saw translated. */
static __noinline int from_stack(struct __sk_buff *skb)
{
	struct packet p;
	struct mapping of_sender;
	const struct mapping *sender;
	const struct link *link;
	__u32 ifindex = skb->ifindex;
	int reason = parse_ipv4(skb, &p);

	if (reason >= 0)
		return TC_ACT_OK;
	link = bpf_map_lookup_elem(&links, &ifindex);
	if (link && (link->role & LINK_INSIDE) && is_internal(p.from.destination))
		return TC_ACT_OK;
	trace_before(skb, &p, EGRESS);
	sender = find_private(p.from.source, &of_sender);
	parse_natter_l4(skb, &p, sender ? sender->slot_flags : 0);
	reason = resolve_out(&p, sender, !skb->ingress_ifindex);
	if (reason == PASS_NOT_EIP)
		return TC_ACT_OK;
	if (reason != RESOLVED)
		return finish(skb, &p, reason, TC_ACT_SHOT, EGRESS);
	reason = limit(skb, &p, p.own.slot_flags, false);
	if (reason >= 0)
		return finish(skb, &p, reason, TC_ACT_SHOT, EGRESS);
	meter(skb, &p, p.own.slot_flags, false);
	if (!rewrite(skb, &p, 0))
		return finish(skb, &p, DROP_REWRITE_FAILED, TC_ACT_SHOT, EGRESS);
	return finish(skb, &p, OUT_AT_EGRESS, TC_ACT_OK, EGRESS);
}

SEC("tc")
int natter_egress(struct __sk_buff *skb)
{
	clear_classid(skb);
	return skb->tc_index == TRANSLATED ? TC_ACT_OK : from_stack(skb);
}

/* Never called: its signature keeps in the BTF what only user space reads by name. */
int keep_in_btf(const struct trace_event *event, enum reason reason, enum explain_step step,
		enum explain_word word)
{
	return !event + reason + step + word;
}

char _license[] SEC("license") = "Dual MIT/GPL";
