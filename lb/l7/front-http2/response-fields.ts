// Heads and trailers of responses as HTTP/2 has them (RFC 9113, 8.1 and 8.2): lower-case names, no
// field of one connection, :status first. Pure.
import type { HeadEdits, ResponseHead } from '../http1/types.ts';
import { fieldsOf } from '../http1/view.ts';

/** Of one connection, or of framing: the stream would be malformed (RFC 9113, 8.2.2). */
const NEVER_SENT = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);
const NOT_IN_TRAILERS = new Set([...NEVER_SENT, 'content-length', 'host', 'trailer']);
/** What no field may have; a character beyond a byte would be cut down to one. */
const NO_TEXT = /[^\t\x20-\x7e\x80-\xff]/g;

/** A name and its value, one after the other. `contentLength` -1: it is not told. */
export function responseFields(
  head: ResponseHead,
  edits: HeadEdits,
  options: { contentLength: number; cookie?: string | undefined; via: string },
): string[] {
  const flat = [':status', String(head.status)];
  for (const [name, value] of fieldsOf(head, { ...edits, add: [] })) flat.push(name, value);
  appendFields(flat, edits.add);
  if (options.cookie !== undefined) appendFields(flat, [['set-cookie', options.cookie]]);
  if (options.contentLength >= 0) flat.push('content-length', String(options.contentLength));
  flat.push('via', `1.${head.minor} ${options.via}`);
  return flat;
}

/** Fields that are not a head's, but a site's: node would throw of what HTTP/2 does not have. */
export function appendFields(
  flat: string[],
  fields: readonly (readonly [name: string, value: string])[],
): void {
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (!NEVER_SENT.has(lower)) flat.push(lower, value.replace(NO_TEXT, '?'));
  }
}

/** Interim responses have names once: values of the same name are a list. */
export function interimFields(head: ResponseHead): Record<string, string | string[]> {
  return { ':status': String(head.status), ...grouped(fieldsOf(head)) };
}

/** Of lines with CRLF. */
export function trailerFields(lines: Buffer): Record<string, string | string[]> {
  const list: [string, string][] = [];
  for (const line of lines.toString('latin1').split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    if (colon > 0 && !NOT_IN_TRAILERS.has(name)) list.push([name, line.slice(colon + 1).trim()]);
  }
  return grouped(list);
}

function grouped(list: readonly [string, string][]): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of list) {
    const before = fields[name];
    if (before === undefined) fields[name] = value;
    else fields[name] = [...(Array.isArray(before) ? before : [before]), value];
  }
  return fields;
}
