// Keys of TLS session tickets (RFC 5077, 4; RFC 8446, 4.6.1), the same in every worker and
// instance: derived from the site's secret, the listener and the time, and never sent anywhere.
import { createHash, hkdfSync } from 'node:crypto';
import type { Listener } from '../../../shared/site/lb-objects.ts';

/** So long a key is in force. Node knows one at a time: at a rotation clients shake hands whole. */
export const TICKET_EPOCH_MS = 12 * 3_600_000;
/** So long a ticket is taken, and a client's certificate is believed without being seen anew. */
export const TICKET_SECONDS = 7200;
const KEY_BYTES = 48;

export function ticketEpoch(nowMs: number): number {
  return Math.floor(nowMs / TICKET_EPOCH_MS);
}

/**
 * Who a ticket is of: listeners that ask clients for other certificates never take each other's.
 * 32 characters, as a session id context has.
 */
export function ticketScope(listener: Listener): string {
  const { name, clientCertificate, clientCa = '' } = listener;
  const text = JSON.stringify([name, clientCertificate, clientCa]);
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** 48 bytes: 16 of name, 16 of HMAC key, 16 of AES key. `secret`: at least 16 bytes. */
export function ticketKeys(secret: Uint8Array, scope: string, epoch: number): Buffer {
  const info = `edge-lb tls ticket\0${scope}\0${epoch}`;
  return Buffer.from(hkdfSync('sha256', secret, 'edge-lb', info, KEY_BYTES));
}
