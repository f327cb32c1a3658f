// Trailers of a request as lines, held to the rules of HTTP/1.1's trailer section (RFC 9113, 8.1;
// RFC 9110, 6.5). Pure.
import { putField } from '../http1/head-writer.ts';
import { TrailerReader } from '../http1/trailer-reader.ts';
import type { Bad } from '../http1/types.ts';
import type { FlatFields } from './stream-head.ts';

/** Lines with CRLF, without the empty one; undefined: nothing is left that may be sent on. */
export function readTrailers(fields: FlatFields): Buffer | undefined | Bad {
  let size = 2;
  for (const text of fields) size += text.length + 2;
  const bytes = Buffer.allocUnsafe(size);
  let end = 0;
  for (let at = 0; at < fields.length; at += 2) {
    end = putField(bytes, end, fields[at] as string, fields[at + 1] as string);
  }
  bytes.write('\r\n', end, 'latin1');
  const reader = new TrailerReader();
  for (const code of bytes.subarray(0, end + 2)) {
    const bad = reader.takeByte(code);
    if (bad !== undefined) return bad;
  }
  return reader.kept;
}
