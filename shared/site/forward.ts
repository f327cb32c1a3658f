// A port forward: a port, or a range of ports, of an EIP leads to as many ports of a private
// address. Id: `198.51.100.8:443/tcp` or `198.51.100.8:8000-8099/udp`.
import type { Ipv4 } from '../net/ipv4.ts';
import { formatIpv4 } from '../net/ipv4.ts';
import { formatPortRange, parsePort, parsePortRange } from '../net/ports.ts';
import type { ObjectRecord } from '../store/types.ts';
import type { Refusal } from './refusal.ts';
import { refusal } from './refusal.ts';
import { parseHost, ValueReader } from './value.ts';

/** Protocol numbers of IANA, as the kernel side has them. */
export const TCP = 6;
export const UDP = 17;
export type ForwardProtocol = typeof TCP | typeof UDP;

/** Both ends of the range included; toFirstPort is where firstPort leads. */
export type Forward = {
  eip: Ipv4;
  protocol: ForwardProtocol;
  firstPort: number;
  lastPort: number;
  toAddress: Ipv4;
  toFirstPort: number;
};

export type ForwardFrom = Pick<Forward, 'eip' | 'protocol' | 'firstPort' | 'lastPort'>;
export type ForwardTo = Pick<Forward, 'toAddress' | 'toFirstPort'>;

/** From a stored object. */
export function parseForward(id: string, value: string): Forward | Refusal {
  const reader = new ValueReader(`forward ${id}`, value, ['to']);
  const from = parseForwardFrom(id);
  if (from === undefined) reader.refuse('the id is not like 198.51.100.8:443/tcp');
  const text = reader.text('to');
  const to = text === undefined ? undefined : parseForwardTo(text);
  if (to === undefined) reader.refuse('to is not like 10.0.0.6:8443');
  if (from === undefined || to === undefined) return refusal(...reader.reasons);
  const forward: Forward = { ...from, ...to };
  for (const problem of forwardProblems(forward)) reader.refuse(problem);
  return reader.reasons.length === 0 ? forward : refusal(...reader.reasons);
}

/** What is wrong with a forward in itself. */
export function forwardProblems(forward: Forward): string[] {
  const problems: string[] = [];
  if (forward.toAddress === forward.eip) problems.push('leads to its own EIP');
  if (toLastPort(forward) > 65535) {
    problems.push(`the range would end at port ${toLastPort(forward)} of the private address`);
  }
  return problems;
}

export function toLastPort(forward: Forward): number {
  return forward.toFirstPort + forward.lastPort - forward.firstPort;
}

/** `198.51.100.8:443/tcp`; only the canonical spelling, since it is the object's id. */
export function parseForwardFrom(text: string): ForwardFrom | undefined {
  const colon = text.indexOf(':');
  const slash = text.indexOf('/', colon);
  if (colon < 0 || slash < 0) return undefined;
  const eip = parseHost(text.slice(0, colon));
  const ports = parsePortRange(text.slice(colon + 1, slash));
  const protocol = parseProtocol(text.slice(slash + 1));
  if (eip === undefined || ports === undefined || protocol === undefined) return undefined;
  const from = { eip, protocol, firstPort: ports.first, lastPort: ports.last };
  return formatForwardFrom(from) === text ? from : undefined;
}

export function formatForwardFrom(from: ForwardFrom): string {
  const ports = formatPortRange({ first: from.firstPort, last: from.lastPort });
  return `${formatIpv4(from.eip)}:${ports}/${formatProtocol(from.protocol)}`;
}

/** `10.0.0.6:8443` */
export function parseForwardTo(text: string): ForwardTo | undefined {
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  const toAddress = parseHost(text.slice(0, colon));
  const toFirstPort = parsePort(text.slice(colon + 1));
  if (toAddress === undefined || toFirstPort === undefined) return undefined;
  return { toAddress, toFirstPort };
}

export function formatForwardTo(to: ForwardTo): string {
  return `${formatIpv4(to.toAddress)}:${to.toFirstPort}`;
}

export function parseProtocol(text: string): ForwardProtocol | undefined {
  if (text === 'tcp') return TCP;
  return text === 'udp' ? UDP : undefined;
}

export function formatProtocol(protocol: ForwardProtocol): string {
  return protocol === TCP ? 'tcp' : 'udp';
}

export function formatForward(forward: Forward): ObjectRecord {
  const value = JSON.stringify({ to: formatForwardTo(forward) });
  return { kind: 'forward', id: formatForwardFrom(forward), value };
}
