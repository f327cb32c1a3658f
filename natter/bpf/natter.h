/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What the kernel programs and TypeScript both see: map layouts, flags, reasons, limits.
 * TypeScript reads the layouts and the names from this object's BTF; there is no second copy.
 * Addresses and ports are in network byte order (__be32, __be16), all else in host order.
 */
#ifndef EDGE_NATTER_H
#define EDGE_NATTER_H

#include "dataplane.h"

/* A slot numbers an EIP: it indexes `meters` and keys `slot_limits`. Bits 0..23; flags above. */
#define SLOT_MASK 0x00ffffffu
#define SLOT_EIP_FORWARDS (1u << 31)	   /* the EIP has port forwards */
#define SLOT_LIMIT_IN (1u << 30)	   /* slot_limits has an inbound bucket for the slot */
#define SLOT_LIMIT_OUT (1u << 29)	   /* the same, outbound */
#define SLOT_PRIVATE_FORWARDED (1u << 28) /* private_to_eip: port forwards lead to this address */
#define SLOT_PRESENT (1u << 27) /* in a page: the entry is one */

/* A page has the entries of a /24, by last octet. Page 0 is none: there its first entry, if
 * present, says that the hash beside the pages is empty. */
#define PAGE_ENTRIES 256

/* eip_to_private: EIP -> private; private_to_eip: private -> EIP. */
struct mapping {
	__be32 address;	  /* the other side; 0: no 1:1 mapping, port forwards only */
	__u32 slot_flags; /* slot of the EIP | SLOT_* */
};

/*
 * forwards_in: (EIP, protocol, port) -> (private, port); forwards_out: the reverse.
 * An LPM trie: a port range is a handful of port prefixes. A single port has prefix_bits 64.
 */
struct forward_key {
	__u32 prefix_bits; /* 48 (all ports) .. 64 (one port) */
	__be32 address;
	__u8 protocol; /* 6 or 17 */
	__u8 zero;
	__be16 port;
};

struct forward {
	__be32 address;
	__u16 port_offset; /* host order; added to the port, modulo 65536 */
	__u16 zero;
	__u32 slot_flags;
};

/* fragments: where the first fragment of a datagram went, for the later ones (forwards only). */
struct fragment_key {
	__be32 source;
	__be32 destination;
	__be16 id;
	__u8 protocol;
	__u8 outbound; /* 1: keyed before the outbound translation, 0: before the inbound one */
};

struct fragment {
	__u64 expires_ns; /* CLOCK_MONOTONIC */
	__be32 address;	  /* the translated address */
	__u32 slot_flags;
};

/* slot_limits: slot -> buckets; 0 means none. */
struct slot_limits {
	__u32 in_bucket;
	__u32 out_bucket;
	__u32 in_group_bucket;
	__u32 out_group_bucket;
};

/* bucket_configs: bucket id -> rate. Time is money: a byte costs nanoseconds. */
#define BUCKET_COST_SHIFT 20
struct bucket_config {
	__u64 cost_per_byte; /* nanoseconds << BUCKET_COST_SHIFT */
	__u64 burst_ns;	     /* how much unused time the bucket keeps while idle */
	__u64 reserve_ns;    /* the last part of it, kept for flows below their fair share */
};

#define BUCKET_FLOWS 64
struct bucket_flow {
	__u32 window;
	__u32 bytes;
};

/* bucket_states: bucket id -> state. All zeroes is a full bucket. */
struct bucket_state {
	__u64 paid_until_ns;  /* CLOCK_MONOTONIC; behind now: unused time */
	__u32 window;	      /* the window that flows_now counts */
	__u32 flows_now;
	__u32 flows_before;
	__u32 zero;
	__u64 refused_ns; /* when it last refused a packet */
	struct bucket_flow flows[BUCKET_FLOWS];
};

/* meters: slot -> what was forwarded. Wire bytes (Ethernet, each GSO segment with its headers). */
struct meter {
	__u64 in_packets;
	__u64 in_bytes;
	__u64 out_packets;
	__u64 out_bytes;
};

/* internal_prefixes (LPM): destinations that are never translated; only a one-armed natter asks. */
struct prefix_key {
	__u32 prefix_bits;
	__be32 address;
};

/* Every way out of a program, by name. PASS_*: untouched. The rules: docs/translation.md */
enum reason {
	PASS_NOT_IPV4,	      /* another EtherType, or tagged: its VLAN device has the EIPs */
	PASS_NOT_FOR_US,      /* broadcast, multicast, or flooded to another host's MAC */
	PASS_NOT_EIP,	      /* neither address is mapped */
	PASS_NOT_OUTBOUND,    /* a mapped VM talks to another inside address */
	PASS_BAD_HEADER,      /* not a valid IPv4 header: the stack drops and counts it */
	PASS_MARTIAN,	      /* an address that no host may have: the stack judges it */
	PASS_HAIRPIN_UNMAPPED, /* an inside host without an EIP asks for one: by the router */
	PASS_TO_STACK_OUT,    /* outbound, left to the stack and to the egress program */
	IN_REDIRECTED,
	IN_TO_STACK, /* translated; the stack forwards, fragments, resolves or answers */
	OUT_REDIRECTED,
	OUT_AT_EGRESS, /* translated on its way out of the stack */
	HAIRPIN_REDIRECTED,
	HAIRPIN_TO_STACK,
	DROP_MALFORMED,	       /* an L4 or quoted header that is cut short */
	DROP_NO_FORWARD,       /* the EIP has port forwards only, and none for this port */
	DROP_FRAGMENT_UNKNOWN, /* a later fragment for a forwarded port came before the first */
	DROP_PORT_TAKEN,       /* the source port belongs to a port forward to another VM */
	DROP_ICMP_REDIRECT,    /* a redirect must not cross a NAT */
	DROP_ERROR_MISMATCH,   /* an ICMP error that quotes a packet which the EIP never sent */
	DROP_LIMIT_IN,
	DROP_LIMIT_OUT,
	DROP_GROUP_LIMIT_IN,
	DROP_GROUP_LIMIT_OUT,
	DROP_REWRITE_FAILED, /* a kernel helper refused; must stay 0 */
	REASON_COUNT,
};

/* What a program leaves in skb->cb[], for `edgectl explain` and for tests by BPF_PROG_RUN. */
enum explain_word { EXPLAIN_REASON, EXPLAIN_STEPS, EXPLAIN_SLOT, EXPLAIN_IFINDEX, EXPLAIN_FIB };

enum explain_step {
	STEP_EIP_FOUND = 1 << 0,
	STEP_PRIVATE_FOUND = 1 << 1,
	STEP_FORWARD_FOUND = 1 << 2,
	STEP_ICMP_ERROR = 1 << 3,
	STEP_FRAGMENT_FOUND = 1 << 4,
	STEP_LIMIT_CHECKED = 1 << 5,
	STEP_GROUP_LIMIT_CHECKED = 1 << 6,
	STEP_HAIRPIN = 1 << 7,
	STEP_FIB_ASKED = 1 << 8,
	STEP_REFRESH_NEIGHBOUR = 1 << 9,
	STEP_TTL_EXPIRES = 1 << 10,
	STEP_IP_OPTIONS = 1 << 11,
};

#endif
