// What a request of DNS over HTTPS asks (RFC 8484 §4.1), from its header fields. Pure.
import type { IncomingHttpHeaders } from 'node:http2';

export const MEDIA_TYPE = 'application/dns-message';
export const MAX_QUERY_BYTES = 0xffff;

/** A status to refuse it with, the query of a GET, or that the query is a POST's body. */
export function readRequest(headers: IncomingHttpHeaders, path: string): number | Buffer | 'body' {
  const [asked = '', search = ''] = `${headers[':path']}`.split('?', 2);
  if (asked !== path) return 404;
  if (headers[':method'] === 'POST') return isMessage(headers) ? 'body' : 415;
  if (headers[':method'] !== 'GET') return 405;
  const dns = new URLSearchParams(search).get('dns');
  if (dns === null || !/^[\w-]+$/.test(dns)) return 400;
  const query = Buffer.from(dns, 'base64url');
  return query.length > MAX_QUERY_BYTES ? 414 : query;
}

/** Parameters say nothing here (RFC 8484 §6). */
function isMessage(headers: IncomingHttpHeaders): boolean {
  return headers['content-type']?.split(';')[0]?.trim().toLowerCase() === MEDIA_TYPE;
}
