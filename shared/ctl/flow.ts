// The flow that `explain` is asked about: `198.51.100.7:4242 > 203.0.113.5:443/tcp`.

import { formatIpv4, type Ipv4, parseIpv4 } from '../net/ipv4.ts';
import { parsePort } from '../net/ports.ts';

const PROTOCOLS: Record<string, number> = {
  icmp: 1,
  tcp: 6,
  udp: 17,
  dccp: 33,
  gre: 47,
  esp: 50,
  sctp: 132,
  udplite: 136,
};
const WITH_PORTS = [6, 17, 33, 132, 136];

/** Addresses in dotted form, protocol as its number: what POST /explain takes. */
export type Flow = {
  source: string;
  sourcePort?: number;
  destination: string;
  destinationPort?: number;
  protocol: number;
};

type End = { address: Ipv4; port?: number };

function parseEnd(text: string): End | string {
  const [host = '', portText, ...more] = text.split(':');
  const address = parseIpv4(host);
  if (address === undefined || more.length > 0) return `"${text}" is no IPv4 address with a port`;
  if (portText === undefined) return { address };
  const port = parsePort(portText);
  return port === undefined ? `"${portText}" is no port (1-65535)` : { address, port };
}

function parseProtocol(text: string): number | undefined {
  const known = PROTOCOLS[text.toLowerCase()];
  if (known !== undefined) return known;
  return /^\d{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : undefined;
}

export function protocolName(protocol: number): string {
  const found = Object.entries(PROTOCOLS).find(([, number]) => number === protocol);
  return found?.[0] ?? String(protocol);
}

/** The flow, or what is wrong with the text. */
export function parseFlow(text: string): Flow | string {
  const parts = text.trim().split(/\s*->?\s*|\s*>\s*|\s+/);
  const [from = '', toText = '', ...more] = parts;
  if (more.length > 0 || from === '' || toText === '') {
    return 'a flow reads "SOURCE[:PORT] > DESTINATION[:PORT][/PROTOCOL]"';
  }
  const [to = '', protocolText, ...rest] = toText.split('/');
  const source = parseEnd(from);
  const destination = parseEnd(to);
  if (typeof source === 'string') return source;
  if (typeof destination === 'string') return destination;
  const ports = [source.port, destination.port].filter((port) => port !== undefined).length;
  if (rest.length > 0 || (protocolText === undefined && ports > 0)) {
    return `which protocol? Write ${to}/tcp or ${to}/udp`;
  }
  const protocol = parseProtocol(protocolText ?? 'icmp');
  if (protocol === undefined) return `unknown protocol "${protocolText}"`;
  const wanted = WITH_PORTS.includes(protocol) ? 2 : 0;
  if (ports !== wanted) {
    const name = protocolName(protocol);
    return wanted === 2 ? `${name} needs both ports` : `${name} has no ports`;
  }
  return {
    source: formatIpv4(source.address),
    destination: formatIpv4(destination.address),
    protocol,
    ...(source.port === undefined ? {} : { sourcePort: source.port }),
    ...(destination.port === undefined ? {} : { destinationPort: destination.port }),
  };
}

export function formatFlow(flow: Flow): string {
  const end = (address: string, port: number | undefined) =>
    port === undefined ? address : `${address}:${port}`;
  const from = end(flow.source, flow.sourcePort);
  const to = end(flow.destination, flow.destinationPort);
  return `${from} > ${to}/${protocolName(flow.protocol)}`;
}
