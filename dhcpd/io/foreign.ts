// Other DHCP servers heard on a served link: offers and acknowledgements whose server identifier is
// not one of ours (RFC 2131 §4.1, RFC 2132 §9.7). Pure.

import { type Ipv4, ipv4FromBytes } from '../../shared/net/ipv4.ts';

const OPTIONS_AT = 240;
const BOOT_REPLY = 2;
const MAGIC = [99, 130, 83, 99];
const [PAD, MESSAGE_TYPE, SERVER_ID, END] = [0, 53, 54, 255];
const ANSWERS: readonly (number | undefined)[] = [2, 5]; // OFFER, ACK

/** The server identifier of an OFFER or ACK; undefined for anything else. */
export function answeringServer(payload: Uint8Array): Ipv4 | undefined {
  if (payload.length < OPTIONS_AT || payload[0] !== BOOT_REPLY) return undefined;
  if (MAGIC.some((byte, at) => payload[OPTIONS_AT - 4 + at] !== byte)) return undefined;
  let [type, server]: [number | undefined, Ipv4 | undefined] = [undefined, undefined];
  for (let at = OPTIONS_AT; at < payload.length && payload[at] !== END; ) {
    const code = payload[at];
    if (code === PAD) {
      at++;
      continue;
    }
    const length = payload[at + 1] ?? 0;
    const value = payload.subarray(at + 2, at + 2 + length);
    if (code === MESSAGE_TYPE) type = value[0];
    if (code === SERVER_ID && value.length === 4) server = ipv4FromBytes(value);
    at += 2 + length;
  }
  return ANSWERS.includes(type) ? server : undefined;
}
