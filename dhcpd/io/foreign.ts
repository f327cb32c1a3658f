// What servers say to clients, as far as a server has to know it: to find others on a served link
// (RFC 2131 §4.1, RFC 2132 §9.7), and to play a client itself. Pure.

import { type Ipv4, ipv4FromBytes } from '../../shared/net/ipv4.ts';

const XID_AT = 4;
const YIADDR_AT = 16;
const OPTIONS_AT = 240;
const BOOT_REPLY = 2;
const MAGIC = [99, 130, 83, 99];
const [PAD, MESSAGE_TYPE, SERVER_ID, END] = [0, 53, 54, 255];
const [OFFER, ACK] = [2, 5];

export type Answer = {
  xid: number;
  address: Ipv4;
  messageType: number | undefined;
  server: Ipv4 | undefined;
};

/** Undefined: no reply of a DHCP server. */
export function readAnswer(payload: Uint8Array): Answer | undefined {
  if (payload.length < OPTIONS_AT || payload[0] !== BOOT_REPLY) return undefined;
  if (MAGIC.some((byte, at) => payload[OPTIONS_AT - 4 + at] !== byte)) return undefined;
  const answer: Answer = {
    xid: ipv4FromBytes(payload, XID_AT),
    address: ipv4FromBytes(payload, YIADDR_AT),
    messageType: undefined,
    server: undefined,
  };
  for (let at = OPTIONS_AT; at < payload.length && payload[at] !== END; ) {
    const code = payload[at];
    if (code === PAD) {
      at++;
      continue;
    }
    const length = payload[at + 1] ?? 0;
    const value = payload.subarray(at + 2, at + 2 + length);
    if (code === MESSAGE_TYPE) answer.messageType = value[0];
    if (code === SERVER_ID && value.length === 4) answer.server = ipv4FromBytes(value);
    at += 2 + length;
  }
  return answer;
}

/** The server identifier of an OFFER or ACK; undefined for anything else. */
export function answeringServer(payload: Uint8Array): Ipv4 | undefined {
  const answer = readAnswer(payload);
  if (answer?.messageType !== OFFER && answer?.messageType !== ACK) return undefined;
  return answer.server;
}
