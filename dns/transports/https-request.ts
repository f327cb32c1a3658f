// What a request of DNS over HTTPS asks (RFC 8484 §4.1), from its header fields. Pure.

/** As node:http2 has them: in lower case. */
type Headers = Readonly<Record<string, string | string[] | undefined>>;

export const MEDIA_TYPE = 'application/dns-message';
export const MAX_QUERY_BYTES = 0xffff;

/** A status to refuse it with, the query of a GET, or that the query is a POST's body. */
export function readRequest(headers: Headers, path: string): number | Buffer | 'body' {
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
function isMessage(headers: Headers): boolean {
  const [type = ''] = `${headers['content-type']}`.split(';');
  return type.trim().toLowerCase() === MEDIA_TYPE;
}
