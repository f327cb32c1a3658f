// A response of our own: errors, redirects, fixed answers (RFC 9112, 4). Pure.
import { type Fields, putFields, putLineEnd, putText, sizeOf } from './head-writer.ts';

/** Reason phrases (RFC 9110, 15; 6585). Another status has none. */
const REASONS: Readonly<Record<number, string>> = {
  100: 'Continue',
  200: 'OK',
  204: 'No Content',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  410: 'Gone',
  411: 'Length Required',
  413: 'Content Too Large',
  414: 'URI Too Long',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  426: 'Upgrade Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
  508: 'Loop Detected',
};

export function reasonOf(status: number): string {
  return REASONS[status] ?? '';
}

export type SimpleWriting = {
  keepAlive: boolean;
  clientMinor: 0 | 1;
  /** The request was HEAD: the length is told, the body is not sent. */
  isHead: boolean;
};

/**
 * Head and body. `headers` are neither of framing nor of the connection; Date is the caller's. A
 * 204 or 304 has no body.
 */
export function writeSimpleResponse(
  status: number,
  headers: Fields,
  body: Buffer,
  how: SimpleWriting,
): Buffer {
  const isBodiless = status === 204 || status === 304;
  const fields: [string, string][] = headers.map(([name, value]) => [name, value]);
  if (!isBodiless) fields.push(['Content-Length', String(body.length)]);
  if (!how.keepAlive) fields.push(['Connection', 'close']);
  else if (how.clientMinor === 0) fields.push(['Connection', 'keep-alive']);
  const line = `HTTP/1.1 ${status} ${reasonOf(status)}`;
  const content = how.isHead || isBodiless ? 0 : body.length;
  const out = Buffer.allocUnsafe(line.length + 4 + sizeOf(fields) + content);
  let p = putLineEnd(out, putText(out, 0, line));
  p = putLineEnd(out, putFields(out, p, fields));
  if (content > 0) body.copy(out, p);
  return out;
}
