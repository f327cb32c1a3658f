// The upgrade that an extended CONNECT becomes towards a target (RFC 8441, 5; RFC 6455, 4): the key
// is ours, and so is the check of what is answered to it.
import { createHash, randomBytes } from 'node:crypto';
import type { HeadEdits, ResponseHead } from '../http1/types.ts';
import { fieldsOf, headerOf } from '../http1/view.ts';
import { appendFields } from './response-fields.ts';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** 16 random bytes as base64. */
export function websocketKey(): string {
  return randomBytes(16).toString('base64');
}

/** Whether a 101 is one of WebSocket, and to this key. */
export function accepts(head: ResponseHead, key: string): boolean {
  const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64');
  const isWebSocket = headerOf(head, 'upgrade')?.toLowerCase() === 'websocket';
  return isWebSocket && headerOf(head, 'sec-websocket-accept') === accept;
}

/** The 101 as the client of a CONNECT sees it: 200, subprotocol and extensions as they came. */
export function tunnelFields(head: ResponseHead, edits: HeadEdits, via: string): string[] {
  const flat = [':status', '200'];
  for (const [name, value] of fieldsOf(head, { ...edits, add: [] })) {
    if (name !== 'sec-websocket-accept') flat.push(name, value);
  }
  appendFields(flat, edits.add);
  flat.push('via', `1.${head.minor} ${via}`);
  return flat;
}
