/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What lb's kernel programs and TypeScript both see: map layouts, flags, reasons, limits.
 * TypeScript reads layouts and names from this object's BTF; there is no second copy. Addresses and
 * ports are in network byte order (__be32, __be16), all else in host order.
 * The rules: docs/balancing.md
 */
#ifndef EDGE_LB_H
#define EDGE_LB_H

#include "dataplane.h" /* links, counters, trace */

/* A prime: the slots of a pool's Maglev table. */
#define MAGLEV_SLOTS 65537

/*
 * Slot = hash mod MAGLEV_SLOTS. The hash is MurmurHash3's x86 32-bit variant with this seed over
 * whole words, whose bytes count from the least significant one; addresses, ports and protocol as
 * numbers:
 *   hash flow:   source, destination, source port << 16 | destination port, protocol
 *   hash source: source
 *   fragments of UDP with hash flow: source, destination
 */
#define HASH_SEED 0xed9e1b04u

/*
 * servers: (VIP, protocol, port) -> what serves it. Single ports in a hash; ranges in a trie
 * (server_ranges, prefix_bits 48..64), which is asked only if the entry of port 0 says so. No
 * server has port 0: that entry is there for each VIP and protocol that has any server, and says
 * what is known of them all (SERVER_HAS_RANGES, SERVER_ONLY). Without it the VIP is not ours.
 */
struct server_key {
	__be32 address;
	__be16 port;
	__u8 protocol;
	__u8 zero;
};

struct range_key {
	__u32 prefix_bits; /* 48 (all ports) .. 64 (one port) */
	__be32 address;
	__u8 protocol;
	__u8 zero;
	__be16 port;
};

#define SERVER_DSR (1u << 0)	    /* else nat */
#define SERVER_HASH_SOURCE (1u << 1) /* else flow */
#define SERVER_LEAVE (1u << 2)	    /* flows of a lost target stay with it */
#define SERVER_HAS_RANGES (1u << 3)  /* port 0: look into server_ranges, too */
#define SERVER_ONLY (1u << 4)	    /* port 0: the other fields are those of the only server of this
				     * VIP and protocol, for packets that show no port */

struct server {
	__u32 slot;	 /* of meters; from 1 */
	__u32 pool_slot; /* index into `tables` */
	__u32 flags;
	__be16 first_port; /* of the range; the port otherwise */
	__u16 zero;
};

/* tables: pool slot -> inner array of MAGLEV_SLOTS target slots (__u32), replaced whole in one
 * write. Target slot 0: nobody. */

/* targets: target slot -> where it is. A slot that is used again has another generation: its
 * connections are lost. What a table names is not asked whether it is gone. */
#define TARGET_GONE (1u << 0) /* removed or down: see SERVER_LEAVE */
struct target {
	__be32 address;
	__be16 port; /* 0: the server's port (of a range: the same offset) */
	__u16 flags;
	__u32 generation;
};

/*
 * reverse: server_key (target, protocol, port) -> the VIP that it answers for; static. nat only.
 * Ranges in reverse_ranges, and an entry of port 0 for each target and protocol, as above. A reply
 * to this host itself (of its probes) is left alone, every other one is translated.
 */
struct reverse {
	__be32 address;	   /* the VIP */
	__u16 port_offset; /* host order; added to the port modulo 65536 */
	__u16 flags;
	__u32 server_slot;
	__u32 target_slot;
};
#define REVERSE_HAS_RANGES (1u << 0) /* as SERVER_HAS_RANGES */
#define REVERSE_ONLY (1u << 1)	     /* as SERVER_ONLY */

/* connections (LRU): the target that a flow has. Written by the first packet of a flow that is no
 * SYN and no RST (TCP) or any packet (UDP), while new ones come no faster than
 * NEW_CONNECTIONS_PER_SECOND a CPU. */
#define NEW_CONNECTIONS_PER_SECOND 125000
#define UDP_IDLE_NS 60000000000ll
#define TCP_IDLE_NS 7200000000000ll
struct connection_key {
	__be32 source;
	__be32 destination;
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol;
	__u8 zero[3];
};

struct connection {
	__u64 seen_ns; /* CLOCK_MONOTONIC, coarse; written at most once a second */
	__u32 target_slot;
	__u32 generation;
};

/* fragments (LRU): where the first fragment of a datagram went, for the later ones. */
struct fragment_key {
	__be32 source;
	__be32 destination;
	__be16 id;
	__u8 protocol;
	__u8 outbound; /* 1: of a target's reply, keyed before the translation */
};

#define FRAGMENT_LIFE_NS 30000000000ull
struct fragment {
	__u64 expires_ns; /* CLOCK_MONOTONIC */
	__be32 address;	  /* in: the target's; out: the VIP; 0: no server's, leave it alone */
	__u32 server_slot;
	__u32 target_slot;
	__u32 flags; /* SERVER_DSR */
};

/* new_connections (per CPU), entry 0: entries written in the current second. */
struct new_connections {
	__u64 since_ns; /* CLOCK_MONOTONIC, coarse: when this second began */
	__u64 count;
};

/* server_meters, target_meters (per CPU): slot -> what was forwarded. Wire bytes. */
struct meter {
	__u64 in_packets;
	__u64 in_bytes;
	__u64 out_packets; /* nat only: direct returns are not seen */
	__u64 out_bytes;
	__u64 connections; /* TCP: SYNs that were given a target; UDP: entries written */
};

/* Every way out of a program, by name. PASS_*: untouched. */
enum reason {
	PASS_NOT_IPV4,	 /* another EtherType, or tagged: its VLAN device has the servers */
	PASS_NOT_FOR_US, /* broadcast, multicast, or flooded to another host's MAC */
	PASS_NOT_SERVER, /* no virtual server's, and no target's reply to others than this host */
	PASS_BAD_HEADER, /* not a valid IPv4 header: the stack drops and counts it */
	PASS_MARTIAN,
	IN_REDIRECTED, /* to a target: nat */
	IN_TO_STACK,   /* translated; the stack forwards, fragments, resolves or answers */
	DSR_REDIRECTED,
	DSR_TO_NEIGHBOUR, /* dsr, and the target's MAC is resolved on the way */
	OUT_REDIRECTED,	  /* a target's reply, as the VIP's */
	OUT_TO_STACK,	  /* a target's reply, as it came: the egress program translates it */
	OUT_AT_EGRESS,	  /* translated on its way out of the stack */
	DROP_MALFORMED,	  /* an L4 or quoted header that is cut short */
	DROP_NO_TARGET,	  /* the pool has nobody */
	DROP_NO_ROUTE,	  /* dsr: the target is not on a link of ours */
	DROP_TOO_LONG,	  /* dsr: does not fit the link to the target */
	DROP_TTL_EXPIRED, /* dsr */
	DROP_FRAGMENT_UNKNOWN,
	DROP_ICMP_REDIRECT,
	DROP_ERROR_MISMATCH, /* an ICMP error that quotes no packet of a server or target */
	DROP_REWRITE_FAILED, /* a kernel helper refused; must stay 0 */
	REASON_COUNT,
};

/* What a program leaves in skb->cb[], for `edgectl explain` and for tests by BPF_PROG_RUN. The hash
 * is 0 where none was asked. */
enum explain_word { EXPLAIN_REASON, EXPLAIN_STEPS, EXPLAIN_SERVER, EXPLAIN_TARGET, EXPLAIN_HASH };

enum explain_step {
	STEP_SERVER_FOUND = 1 << 0,
	STEP_BY_TABLE = 1 << 1,
	STEP_CONNECTION_FOUND = 1 << 2,
	STEP_CONNECTION_LOST = 1 << 3, /* its target is gone: picked anew */
	STEP_CONNECTION_WRITTEN = 1 << 4,
	STEP_ICMP_ERROR = 1 << 5,
	STEP_FRAGMENT_FOUND = 1 << 6,
	STEP_REVERSE_FOUND = 1 << 7,
	STEP_FIB_ASKED = 1 << 8,
	STEP_TTL_EXPIRES = 1 << 9,
	STEP_IP_OPTIONS = 1 << 10,
	STEP_FLOOD_GATE = 1 << 11, /* not written: too many new ones */
	STEP_REFRESH_NEIGHBOUR = 1 << 12, /* by the neighbour table: a stale entry is probed */
};

#endif
