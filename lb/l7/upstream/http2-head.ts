// A response's head and trailers as HTTP/2 tells them (RFC 9113, 8.3), put as HTTP/1.1 would have
// them: so there is one parser, one set of rules, and one form of head for the fronts. Pure.
import type { Unfinished } from '../http1/fields.ts';
import { createResponseHead, parseResponseHead } from '../http1/response-head.ts';
import type { ResponseHead } from '../http1/types.ts';

/** As for HTTP/1.1: a head is done with before the next is parsed. */
export const head: ResponseHead = createResponseHead();

/** Fields of the connection, which nobody may send here, and framing, which is ours to say. */
const NOT_TAKEN = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade']);

/**
 * Fills `head`. `flat`: a name and its value, one after the other. `isWhole`: no body follows, nor
 * trailers.
 */
export function readHead(
  flat: readonly string[],
  isWhole: boolean,
  of: { method: string },
): 'done' | Unfinished {
  let status = '';
  let hasLength = false;
  const lines: string[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const [name = '', value = ''] = [flat[i], flat[i + 1]];
    if (name === ':status') status = value;
    hasLength ||= name === 'content-length';
    if (!name.startsWith(':') && !NOT_TAKEN.has(name)) lines.push(`${name}: ${value}\r\n`);
  }
  if (isWhole && !hasLength && of.method !== 'HEAD') lines.push('content-length: 0\r\n');
  if (!isWhole && !hasLength) lines.push('transfer-encoding: chunked\r\n');
  const bytes = Buffer.from(`HTTP/1.1 ${status} \r\n${lines.join('')}\r\n`, 'latin1');
  return parseResponseHead(bytes, 0, bytes.length, head, of);
}

/** Lines with CRLF; undefined: there are none. */
export function trailerLines(flat: readonly string[]): Buffer | undefined {
  const lines: string[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) lines.push(`${flat[i]}: ${flat[i + 1]}\r\n`);
  return lines.length === 0 ? undefined : Buffer.from(lines.join(''), 'latin1');
}

/** Of lines with CRLF, as node:http2 takes them. */
export function trailerFields(lines: Buffer | undefined): Record<string, string[]> {
  const fields: Record<string, string[]> = Object.create(null);
  for (const line of lines?.toString('latin1').split('\r\n') ?? []) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon).toLowerCase();
    fields[name] = [...(fields[name] ?? []), line.slice(colon + 1).trim()];
  }
  return fields;
}
