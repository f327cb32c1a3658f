// A head as others look at it: values as strings, made when they are asked for, and the list of
// fields that an HTTP/2 peer gets. What is not sent on is not seen either. Pure.
import { fieldNamed } from './fields.ts';
import { joinedValues, valueAt } from './framing.ts';
import { isNameAt, isOmitted, omissionFor } from './hop-by-hop.ts';
import { FIELD, type Head, type HeadEdits, type RequestHead, type RequestView } from './types.ts';

/** The request target as it is sent on. */
export function targetOf(head: RequestHead): string {
  const path = head.bytes.toString('latin1', head.pathStart, head.pathEnd);
  if (path.startsWith('/') || path === '*') return path;
  // Of an absolute form without a path (RFC 9112, 3.2.4; RFC 3986, 6.2.3).
  return path === '' && head.method === 'OPTIONS' ? '*' : `/${path}`;
}

/** Values of that name (lower case) joined by `, ` (Cookie: `; `); undefined: it is not there. */
export function headerOf(head: Head, name: string): string | undefined {
  const field = fieldNamed(name);
  if (field === FIELD.UNDERSCORE) return undefined;
  if (field !== FIELD.OTHER) return joinedValues(head, field);
  let joined: string | undefined;
  for (let i = 0; i < head.count; i++) {
    if (head.names[i] !== FIELD.OTHER || !isNamed(head, i, name)) continue;
    joined = joined === undefined ? valueAt(head, i) : `${joined}, ${valueAt(head, i)}`;
  }
  return joined;
}

function isNamed(head: Head, index: number, name: string): boolean {
  const start = head.offsets[4 * index] as number;
  if ((head.offsets[4 * index + 1] as number) - start !== name.length) return false;
  return isNameAt(head.bytes, start, name);
}

/**
 * The fields that are sent on, names in lower case, without framing and hop-by-hop fields, then
 * those that `edits` adds. Host is among them.
 */
export function fieldsOf(head: Head, edits?: HeadEdits): [name: string, value: string][] {
  const omission = omissionFor(head, edits);
  const list: [string, string][] = [];
  for (let i = 0; i < head.count; i++) {
    if (!isOmitted(head, i, omission)) list.push([nameOf(head, i), valueAt(head, i)]);
  }
  for (const [name, value] of edits?.add ?? []) list.push([name.toLowerCase(), value]);
  return list;
}

function nameOf(head: Head, index: number): string {
  const at = 4 * index;
  const [start, end] = [head.offsets[at] as number, head.offsets[at + 1] as number];
  return head.bytes.toString('latin1', start, end).toLowerCase();
}

/** What routing looks at. It reads the head when it is asked: valid as long as the head is. */
export function viewOf(head: RequestHead): RequestView {
  return new HeadView(head);
}

class HeadView implements RequestView {
  readonly method: string;
  readonly host: string;
  readonly target: string;
  readonly #head: RequestHead;

  constructor(head: RequestHead) {
    this.#head = head;
    this.method = head.method;
    this.host = head.host;
    this.target = targetOf(head);
  }

  header(name: string): string | undefined {
    return headerOf(this.#head, name);
  }
}
