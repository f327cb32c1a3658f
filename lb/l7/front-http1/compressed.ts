// How the head of a response changes when its body is sent as gzip (RFC 9110, 8.4, 8.8.3, 12.5.5):
// another representation of it, so its entity tag is a weak one, and caches are told. Pure.
import type { ResponseHead } from '../http1/types.ts';
import { headerOf } from '../http1/view.ts';
import type { HeadEdits } from '../types.ts';

const CHANGED = ['etag', 'vary', 'content-encoding', 'content-md5', 'accept-ranges', 'digest'];

export function compressedEdits(head: ResponseHead, edits: HeadEdits): HeadEdits {
  const add: (readonly [string, string])[] = [...edits.add, ['Content-Encoding', 'gzip']];
  const etag = headerOf(head, 'etag');
  if (etag !== undefined && !edits.drop.has('etag')) {
    add.push(['ETag', etag.startsWith('W/') ? etag : `W/${etag}`]);
  }
  add.push(['Vary', varyOf(edits.drop.has('vary') ? undefined : headerOf(head, 'vary'))]);
  return { ...edits, drop: new Set([...edits.drop, ...CHANGED]), add };
}

function varyOf(before: string | undefined): string {
  if (before === undefined || before === '') return 'Accept-Encoding';
  const names = before.toLowerCase().split(/[ \t]*,[ \t]*/);
  if (names.includes('accept-encoding') || names.includes('*')) return before;
  return `${before}, Accept-Encoding`;
}
