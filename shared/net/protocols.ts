// IP protocols by number: their names, and which have ports. Pure.

const WITH_PORTS = new Set([6, 17, 33, 132, 136]);
const NAMES: Record<number, string> = {
  1: 'icmp',
  6: 'tcp',
  17: 'udp',
  33: 'dccp',
  47: 'gre',
  50: 'esp',
  132: 'sctp',
  136: 'udplite',
};

/** Whether the L4 header starts with source and destination port. */
export const protocolHasPorts = (protocol: number): boolean => WITH_PORTS.has(protocol);
export const protocolName = (protocol: number): string => NAMES[protocol] ?? `${protocol}`;
