/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the programs of every data plane and TypeScript both see; read from an object's BTF. */
#ifndef EDGE_BPF_DATAPLANE_H
#define EDGE_BPF_DATAPLANE_H

#include <linux/types.h>

/* Roles of a link, in `links`. A one-armed service has both on one. */
#define LINK_UPLINK 1u
#define LINK_INSIDE 2u

/* counters (per CPU): reason -> packets and wire bytes. */
struct counter {
	__u64 packets;
	__u64 bytes;
};

/* links: ifindex -> role. */
struct link {
	__u32 role;
};

/* trace_config[0]: what goes to trace_events; address 0 and reason -1 match every packet. */
struct trace_config {
	__u32 enabled;
	__be32 address; /* source or destination, before or after */
	__s32 reason;
	__u32 snap_bytes;
};

#define TRACE_SNAP_BYTES 256
struct trace_event {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 ifindex;
	__u32 reason;
	__u32 frame_bytes; /* the whole frame */
	__u16 snap_bytes;  /* what of it is in `frame` */
	__u8 after;	   /* 0: as it came, 1: as it left this program */
	__u8 egress;
	__u8 frame[TRACE_SNAP_BYTES];
};

#endif
