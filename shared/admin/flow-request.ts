// The flow that somebody asks about on the control socket. Pure.
import { type ErrorCode, OperationalError } from '../errors.ts';
import type { FlowPacket } from '../net/frames.ts';
import { parseIpv4 } from '../net/ipv4.ts';

/** Throws an error of that code: the body comes from outside. */
export function readFlowRequest(body: unknown, code: ErrorCode): FlowPacket {
  const fields = Object(body) as Record<string, unknown>;
  const bad = (what: string): OperationalError =>
    new OperationalError(code, `no flow: ${what}`, {
      remedy: 'ask as: { source, destination, protocol, sourcePort, destinationPort }',
    });
  const address = (name: string): number => {
    const text = fields[name];
    const parsed = typeof text === 'string' ? parseIpv4(text) : undefined;
    if (parsed === undefined) throw bad(`${name} is not an IPv4 address`);
    return parsed;
  };
  const number = (name: string, most: number): number => {
    const value = fields[name] ?? 0;
    const isWhole = typeof value === 'number' && Number.isInteger(value);
    if (!isWhole || value < 0 || value > most) throw bad(`${name} is not 0 to ${most}`);
    return value;
  };
  return {
    source: address('source'),
    destination: address('destination'),
    protocol: number('protocol', 255),
    sourcePort: number('sourcePort', 65535),
    destinationPort: number('destinationPort', 65535),
  };
}
