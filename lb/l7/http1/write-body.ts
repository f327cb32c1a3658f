// Chunked framing as it is sent on (RFC 9112, 7.1): canonical sizes, no extensions. Pure.
const CRLF = '\r\n';

/** Goes behind the content of each chunk. */
export const CHUNK_END = Buffer.from(CRLF, 'latin1');
/** The last chunk and an empty trailer section. */
export const LAST_CHUNK = Buffer.from('0\r\n\r\n', 'latin1');

/** The line before a chunk of so many bytes; 0 would end the body. */
export function chunkHead(bytes: number): Buffer {
  return Buffer.from(bytes.toString(16) + CRLF, 'latin1');
}

/** A whole chunk in one buffer: for pieces small enough that a copy costs less than a write. */
export function chunkOf(piece: Buffer): Buffer {
  const size = piece.length.toString(16);
  const chunk = Buffer.allocUnsafe(size.length + piece.length + 4);
  const at = chunk.write(size + CRLF, 0, 'latin1');
  piece.copy(chunk, at);
  chunk[at + piece.length] = 0x0d;
  chunk[at + piece.length + 1] = 0x0a;
  return chunk;
}

/** The last chunk; `trailers`: lines with CRLF, as a decoder gives them. */
export function lastChunk(trailers: Buffer | undefined): Buffer {
  if (trailers === undefined) return LAST_CHUNK;
  return Buffer.concat([Buffer.from('0\r\n', 'latin1'), trailers, CHUNK_END]);
}
