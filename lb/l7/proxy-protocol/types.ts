// The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt): for whom a connection was
// made, told before its first byte. Pure.

/** `address`: text as `formatIpv4` and `formatIpv6` write it. */
export type Endpoint = { address: string; port: number };

/**
 * A header that was read. `bytes`: its length, TLVs included. Without `source` the connection
 * speaks for itself (LOCAL, UNKNOWN): its own addresses count.
 */
export type ProxyHeader = {
  bytes: number;
  source?: Endpoint;
  destination?: Endpoint;
};

/** `refused`: why, stable, in kebab-case. The connection is closed without an answer. */
export type ProxyRefusal = { refused: string };

export type ProxyVerdict = 'more' | ProxyHeader | ProxyRefusal;

/** Of one header, TLVs included. */
export const MAX_PROXY_BYTES = 4096;
