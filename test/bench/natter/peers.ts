// Ours and whom we measure us against: what a router namespace needs to be each of them.
import { formatIpv4, type Ipv4 } from '../../../shared/net/ipv4.ts';
import { EIP_BASE, PRIVATE_BASE } from './addresses.ts';

export const PEERS = ['plain', 'nft-stateless', 'nft-stateful'] as const;
export type Peer = (typeof PEERS)[number];
/** `natter` is ours. `plain` only routes: its packets carry private addresses on both sides. */
export type Contender = 'natter' | Peer;
export const CONTENDERS: readonly Contender[] = ['natter', ...PEERS];

// as: an unsigned 32-bit number is an Ipv4.
const address = (number: number): string => formatIpv4(number as Ipv4);
export const eip = (index: number): string => address(EIP_BASE + index);
export const privateAddress = (index: number): string => address(PRIVATE_BASE + index);

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

function maps(count: number): string {
  const into = range(count).map((index) => `${eip(index)} : ${privateAddress(index)}`);
  const out = range(count).map((index) => `${privateAddress(index)} : ${eip(index)}`);
  return `
    map into { type ipv4_addr : ipv4_addr; size ${count}; elements = { ${into.join(', ')} } }
    map out { type ipv4_addr : ipv4_addr; size ${count}; elements = { ${out.join(', ')} } }`;
}

/** The address rewritten in place, no connection tracking: one hook, one lookup a packet. */
const stateless = (count: number): string => `
  table ip eip {${maps(count)}
    chain prerouting {
      type filter hook prerouting priority raw; policy accept;
      iif "up0" notrack ip daddr set ip daddr map @into
      iif "in0" notrack ip saddr set ip saddr map @out
    }
  }`;

/** What an operator's guide says: dnat and snat by map, the connection table does the rest. */
const stateful = (count: number): string => `
  table ip eip {${maps(count)}
    chain prerouting {
      type nat hook prerouting priority dstnat; policy accept;
      iif "up0" dnat to ip daddr map @into
    }
    chain postrouting {
      type nat hook postrouting priority srcnat; policy accept;
      oif "up0" snat to ip saddr map @out
    }
  }`;

/** nft's input, or undefined where it is not used. */
export function ruleset(contender: Contender, eips: number): string | undefined {
  if (contender === 'nft-stateless') return stateless(eips);
  return contender === 'nft-stateful' ? stateful(eips) : undefined;
}

/**
 * A link with checksum offload tells the connection tracker that a checksum is right; veth cannot,
 * so it is told not to look. The timeouts outlast the rounds.
 */
export const CONNTRACK_SYSCTLS = [
  'net.netfilter.nf_conntrack_checksum=0',
  'net.netfilter.nf_conntrack_udp_timeout=600',
  'net.netfilter.nf_conntrack_udp_timeout_stream=600',
];
