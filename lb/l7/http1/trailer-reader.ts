// The trailer section of a chunked body (RFC 9112, 7.1.2): kept up to a bound, checked as a head's
// fields are, and without the fields that may not come so late (RFC 9110, 6.5.1). Pure.
import { BAD } from './bad.ts';
import { createHead, parseFields } from './fields.ts';
import { copyFields } from './head-writer.ts';
import { maskOf, type Omission } from './hop-by-hop.ts';
import { CR, LF } from './octets.ts';
import { type Bad, FIELD, type Head } from './types.ts';

const MAX_TRAILER_BYTES = 8192;

/** Whoever read them late would end the message, or the connection, elsewhere. */
const REFUSED = maskOf([FIELD.CONTENT_LENGTH, FIELD.TRANSFER_ENCODING, FIELD.CONNECTION]);

/** They frame, route, authenticate, or say how content is read. */
const FORBIDDEN: Omission = {
  mask: maskOf(
    Object.values(FIELD).filter((field) => field !== FIELD.OTHER && field !== FIELD.ETAG),
  ),
  others: [
    ...['authorization', 'www-authenticate', 'authentication-info', 'proxy-authentication-info'],
    ...['content-range', 'content-location', 'content-disposition', 'range', 'if-match', 'age'],
    ...['if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range', 'expires'],
    ...['location', 'pragma', 'retry-after', 'warning', 'x-http-method-override', 'x-real-ip'],
  ],
};

export class TrailerReader {
  isDone = false;
  /** Lines that may be sent on; undefined: none. */
  kept: Buffer | undefined;
  #bytes: Buffer = Buffer.alloc(64);
  #length = 0;
  #head: Head | undefined;

  reset(): void {
    this.isDone = false;
    this.kept = undefined;
    this.#length = 0;
  }

  takeByte(code: number): Bad | undefined {
    if (this.#length === MAX_TRAILER_BYTES) return BAD.trailersTooBig;
    if (this.#length === this.#bytes.length) this.#grow();
    this.#bytes[this.#length++] = code;
    return code === LF ? this.#endLine() : undefined;
  }

  #grow(): void {
    const bytes = Buffer.alloc(2 * this.#bytes.length);
    this.#bytes.copy(bytes);
    this.#bytes = bytes;
  }

  #endLine(): Bad | undefined {
    this.isDone = this.#length === 2 && this.#bytes[0] === CR;
    if (this.isDone) return undefined;
    this.#head ??= createHead();
    const end = parseFields(this.#bytes, 0, this.#length, this.#head);
    if (end === 'more') return undefined;
    if (typeof end !== 'number') return end;
    if ((this.#head.present & REFUSED) !== 0) return BAD.trailer;
    this.isDone = true;
    this.#keep(this.#head, end);
    return undefined;
  }

  #keep(head: Head, end: number): void {
    head.bytes = this.#bytes;
    head.end = end;
    // Blanks around a value may become one more byte a line.
    const kept = Buffer.alloc(end + head.count);
    const length = copyFields(kept, 0, head, FORBIDDEN, -1);
    if (length > 0) this.kept = kept.subarray(0, length);
  }
}
