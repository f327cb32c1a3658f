// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The L4 load balancer's four tc programs; the rules they follow, one by one, are in
 * docs/balancing.md. Default verdict: TC_ACT_OK. What is no server's and no target's passes
 * untouched; what is theirs is sent on as the rules say or dropped, never as it came but for
 * replies that the stack is to see first, which the egress program translates.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include "packet.h"
#include "maps.h"
#include "resolve.h"
#include "verdict.h"

static __always_inline void add(struct meter *meter, struct __sk_buff *skb, const struct packet *p,
				bool inbound)
{
	__u32 packets = wire_packets(skb);
	__u32 bytes = wire_bytes(skb, p);

	if (inbound) {
		meter->in_packets += packets;
		meter->in_bytes += bytes;
	} else {
		meter->out_packets += packets;
		meter->out_bytes += bytes;
	}
	meter->connections += p->own.opens;
}

/* What is forwarded. */
static __always_inline void meter(struct __sk_buff *skb, const struct packet *p, bool inbound)
{
	struct meter *server, *target;

	if (p->dry)
		return;
	server = bpf_map_lookup_elem(&server_meters, &p->own.server_slot);
	if (server)
		add(server, skb, p, inbound);
	target = bpf_map_lookup_elem(&target_meters, &p->own.target_slot);
	if (target)
		add(target, skb, p, inbound);
}

/* K6: the frame as it is, to the target's MAC. */
SLOW_PATH int send_directly(struct __sk_buff *skb, struct packet *p)
{
	struct bpf_redir_neigh neighbour = {.nh_family = AF_INET};
	struct bpf_fib_lookup fib = {};
	struct ethhdr *eth;
	long found;

	if (!p)
		return TC_ACT_SHOT;
	if (p->ttl <= 1) {
		p->steps |= STEP_TTL_EXPIRES;
		return drop(skb, p, DROP_TTL_EXPIRED);
	}
	found = ask_fib(skb, p, p->from.source, p->own.target, &fib);
	if (found == BPF_FIB_LKUP_RET_FRAG_NEEDED)
		return drop(skb, p, DROP_TOO_LONG);
	if (found != BPF_FIB_LKUP_RET_SUCCESS && found != BPF_FIB_LKUP_RET_NO_NEIGH)
		return drop(skb, p, DROP_NO_ROUTE);
	if (fib.ipv4_dst != p->own.target)
		return drop(skb, p, DROP_NO_ROUTE);
	eth = frame_headers(skb);
	if (!eth)
		return drop(skb, p, DROP_REWRITE_FAILED);
	take_hop((void *)eth + ETH_HLEN);
	skb->tc_index = TRANSLATED;
	meter(skb, p, true);
	if (found == BPF_FIB_LKUP_RET_SUCCESS)
		return finish(skb, p, DSR_REDIRECTED, send(p, eth, &fib), INGRESS);
	neighbour.ipv4_nh = p->own.target;
	return finish(skb, p, DSR_TO_NEIGHBOUR,
		      bpf_redirect_neigh(fib.ifindex, &neighbour, sizeof(neighbour), 0), INGRESS);
}

static __always_inline int inbound(struct __sk_buff *skb, struct packet *p, int resolved)
{
	struct bpf_fib_lookup fib = {};
	bool routed;
	int verdict;

	if (resolved != RESOLVED)
		return drop(skb, p, resolved);
	if (p->own.flags & SERVER_DSR)
		return send_directly(skb, p);
	routed = !needs_stack(p) && ask_fib(skb, p, p->to.source, p->to.destination, &fib) ==
					    BPF_FIB_LKUP_RET_SUCCESS;
	verdict = deliver(skb, p, &fib, routed, IN_REDIRECTED, IN_TO_STACK);
	meter(skb, p, true);
	return verdict;
}

static __always_inline int outbound(struct __sk_buff *skb, struct packet *p)
{
	struct bpf_fib_lookup fib = {};
	int resolved = resolve_out(p);
	int verdict;

	if (resolved == NOT_OURS)
		return pass(skb, p, PASS_NOT_SERVER);
	if (needs_stack(p))
		return pass(skb, p, OUT_TO_STACK);
	switch (ask_fib(skb, p, p->from.source, p->from.destination, &fib)) {
	case BPF_FIB_LKUP_RET_SUCCESS:
		break;
	case BPF_FIB_LKUP_RET_NOT_FWDED:
		return pass(skb, p, PASS_NOT_SERVER);
	default:
		return pass(skb, p, OUT_TO_STACK);
	}
	if (resolved != RESOLVED)
		return drop(skb, p, resolved);
	remember_out(p);
	verdict = deliver(skb, p, &fib, true, OUT_REDIRECTED, OUT_REDIRECTED);
	meter(skb, p, false);
	return verdict;
}

SEC("tc")
int lb_uplink(struct __sk_buff *skb)
{
	struct packet p;
	int reason = receive(skb, &p);

	if (reason >= 0)
		return pass(skb, &p, reason);
	parse_l4(skb, &p, true);
	reason = resolve_in(skb, &p);
	if (reason == NOT_OURS)
		return pass(skb, &p, PASS_NOT_SERVER);
	return inbound(skb, &p, reason);
}

/* Clients may be inside, too. */
static __always_inline int either_way(struct __sk_buff *skb)
{
	struct packet p;
	int reason = receive(skb, &p);

	if (reason >= 0)
		return pass(skb, &p, reason);
	parse_l4(skb, &p, true);
	/* Most are replies: to no VIP, which one lookup tells. */
	if (!has_ports(p.protocol) || find_vip(p.from.destination, p.protocol)) {
		reason = resolve_in(skb, &p);
		if (reason != NOT_OURS)
			return inbound(skb, &p, reason);
	}
	return outbound(skb, &p);
}

SEC("tc")
int lb_inside(struct __sk_buff *skb)
{
	return either_way(skb);
}

SEC("tc")
int lb_onearm(struct __sk_buff *skb)
{
	return either_way(skb);
}

/* Replies that were left to the stack, and the ICMP errors that it made about packets it saw
 * translated. */
static __noinline int from_stack(struct __sk_buff *skb)
{
	struct packet p;
	int reason = parse_ipv4(skb, &p);

	if (reason >= 0)
		return TC_ACT_OK;
	trace_before(skb, &p, EGRESS);
	parse_l4(skb, &p, true);
	reason = resolve_out(&p);
	if (reason == NOT_OURS)
		return TC_ACT_OK;
	if (reason != RESOLVED)
		return finish(skb, &p, reason, TC_ACT_SHOT, EGRESS);
	remember_out(&p);
	meter(skb, &p, false);
	if (!rewrite(skb, &p, 0))
		return finish(skb, &p, DROP_REWRITE_FAILED, TC_ACT_SHOT, EGRESS);
	return finish(skb, &p, OUT_AT_EGRESS, TC_ACT_OK, EGRESS);
}

SEC("tc")
int lb_egress(struct __sk_buff *skb)
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
