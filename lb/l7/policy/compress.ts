// Whether a response is worth gzip: RFC 9110, 8.4.1 and 12.5.3. Pure.

const TEXT = /^text\/|^image\/svg\+xml/i;
const APPLICATION =
  /^application\/(json|javascript|xml|x-javascript|wasm|[a-z0-9.-]+\+(json|xml))\b/i;
/** Less is not worth its head. */
const LEAST_BYTES = 512;

export type CompressibleHead = {
  status: number;
  contentType: string | undefined;
  contentEncoding: string | undefined;
  cacheControl: string | undefined;
  /** -1: not known. */
  contentLength: number;
};

export function isCompressible(head: CompressibleHead, acceptEncoding: string | undefined) {
  const { status, contentType, contentEncoding, cacheControl, contentLength } = head;
  if (status !== 200 || contentEncoding !== undefined || contentType === undefined) return false;
  if (contentLength >= 0 && contentLength < LEAST_BYTES) return false;
  if (
    !(TEXT.test(contentType) || APPLICATION.test(contentType)) ||
    /\bno-transform\b/i.test(cacheControl ?? '')
  )
    return false;
  return takesGzip(acceptEncoding);
}

function takesGzip(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  let star = 0;
  for (const item of accept.split(',')) {
    const [coding = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
    const quality = parameters.find((part) => part.startsWith('q='));
    const q = quality === undefined ? 1 : Number(quality.slice(2));
    if (coding === 'gzip' || coding === 'x-gzip') return q > 0;
    if (coding === '*') star = q;
  }
  return star > 0;
}
