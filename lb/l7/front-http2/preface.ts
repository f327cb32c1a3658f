// The connection preface of HTTP/2 (RFC 9113, 3.4), by which a client of a plain listener says that
// it speaks it. Pure.

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Of a connection's first bytes. `more`: right so far, and not whole. No HTTP/1 request is it. */
export function isHttp2Preface(bytes: Uint8Array): boolean | 'more' {
  const length = Math.min(bytes.length, PREFACE.length);
  for (let at = 0; at < length; at++) if (bytes[at] !== PREFACE[at]) return false;
  return length === PREFACE.length || 'more';
}
