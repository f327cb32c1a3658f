// OPT (RFC 6891 §6.1) as a value, for messages that are not on the hot path. Pure.
import { join } from '../bytes.ts';
import { EDNS_DO, TYPES } from './constants.ts';
import { numberBytes, numberOf } from './fields-scalar.ts';
import { MessageError } from './message.ts';
import { ROOT } from './names.ts';
import type { Message, MessageRecord } from './types.ts';

export type EdnsOption = { code: number; data: Uint8Array };

export type Edns = {
  /** The largest UDP message that the sender takes. */
  udpBytes: number;
  /** The upper 8 of an rcode's 12 bits. */
  extendedRcode: number;
  version: number;
  dnssecOk: boolean;
  options: readonly EdnsOption[];
};

/** For the additional section. Absent fields: 1232 bytes, 0, 0, false, none. */
export function ednsRecord(edns: Partial<Edns> = {}): MessageRecord {
  const { extendedRcode = 0, version = 0, dnssecOk = false, options = [] } = edns;
  return {
    owner: ROOT,
    type: TYPES.OPT,
    class: edns.udpBytes ?? 1232,
    ttlSeconds: extendedRcode * 2 ** 24 + version * 2 ** 16 + (dnssecOk ? EDNS_DO : 0),
    rdata: join(options.flatMap(({ code, data }) => [pair(code, data.length), data])),
  };
}

function pair(one: number, other: number): Uint8Array {
  return join([numberBytes(one, 2), numberBytes(other, 2)]);
}

/** Undefined without OPT. Throws MessageError for more than one, or one that is none. */
export function ednsOf(message: Message): Edns | undefined {
  const found = message.additionals.filter(({ type }) => type === TYPES.OPT);
  const [record] = found;
  if (record === undefined) return undefined;
  if (found.length > 1) throw new MessageError(`the message has ${found.length} OPT records`);
  if (record.owner.length !== 1) throw new MessageError("OPT's owner is not the root");
  const { ttlSeconds } = record;
  return {
    udpBytes: record.class,
    extendedRcode: ttlSeconds >>> 24,
    version: (ttlSeconds >>> 16) & 0xff,
    dnssecOk: (ttlSeconds & EDNS_DO) !== 0,
    options: ednsOptions(record.rdata),
  };
}

/** Throws MessageError when one runs past the end. */
export function ednsOptions(rdata: Uint8Array): EdnsOption[] {
  const options: EdnsOption[] = [];
  for (let at = 0; at < rdata.length; ) {
    const end = at + 4 + numberOf(rdata.subarray(at + 2, at + 4));
    if (at + 4 > rdata.length || end > rdata.length) throw new MessageError('OPT is cut off');
    options.push({ code: numberOf(rdata.subarray(at, at + 2)), data: rdata.subarray(at + 4, end) });
    at = end;
  }
  return options;
}
