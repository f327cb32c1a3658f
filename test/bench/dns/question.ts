// Questions for an A record (RFC 1035 §4.1), and how streams have them. Pure.
import { CLASSES, TYPES } from '../../../shared/dns/constants.ts';
import { type EdnsOption, ednsRecord } from '../../../shared/dns/edns.ts';
import { encodeMessage } from '../../../shared/dns/message.ts';
import { parseName } from '../../../shared/dns/names.ts';

/** Without an option there is no EDNS. */
export function encodeQuestion(name: string, id: number, ...options: EdnsOption[]): Uint8Array {
  const parsed = parseName(name);
  if (parsed === undefined) throw new Error(`${name} is no name`);
  return encodeMessage({
    id,
    flags: 0,
    questions: [{ name: parsed, type: TYPES.A, class: CLASSES.IN }],
    answers: [],
    authorities: [],
    additionals: options.length === 0 ? [] : [ednsRecord({ options })],
  });
}

/** With its length before it (§4.2.2), as dnsperf -B reads it, too. */
export function asStream(message: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.of(message.length >> 8, message.length & 255), message]);
}
