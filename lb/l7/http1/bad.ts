// Verdicts on heads and bodies: every reason for which a message is refused (RFC 9110, 9112). Made
// once: a refusal allocates nothing. Pure.
import type { Bad } from './types.ts';

function bad(status: number, reason: string): Bad {
  return Object.freeze({ status, reason });
}

export const BAD = {
  leadingLines: bad(400, 'leading-lines'),
  method: bad(400, 'method'),
  methodTooLong: bad(501, 'method-too-long'),
  target: bad(400, 'target'),
  targetForm: bad(400, 'target-form'),
  targetTooLong: bad(414, 'target-too-long'),
  requestLine: bad(400, 'request-line'),
  version: bad(505, 'version'),
  connect: bad(405, 'connect'),
  statusLine: bad(400, 'status-line'),
  headTooBig: bad(431, 'head-too-big'),
  tooManyFields: bad(431, 'too-many-fields'),
  fieldName: bad(400, 'field-name'),
  fieldValue: bad(400, 'field-value'),
  spaceBeforeColon: bad(400, 'space-before-colon'),
  foldedLine: bad(400, 'folded-line'),
  bareLineFeed: bad(400, 'bare-line-feed'),
  bareCarriageReturn: bad(400, 'bare-carriage-return'),
  hostMissing: bad(400, 'host-missing'),
  hostTwice: bad(400, 'host-twice'),
  host: bad(400, 'host'),
  authority: bad(400, 'authority'),
  contentLength: bad(400, 'content-length'),
  contentLengthTwice: bad(400, 'content-length-twice'),
  transferEncoding: bad(400, 'transfer-encoding'),
  transferEncodingTwice: bad(400, 'transfer-encoding-twice'),
  transferEncodingOld: bad(400, 'transfer-encoding-in-http-1.0'),
  transferCoding: bad(501, 'transfer-coding'),
  bothFramings: bad(400, 'content-length-and-transfer-encoding'),
  connection: bad(400, 'connection'),
  expect: bad(417, 'expect'),
  maxForwards: bad(400, 'max-forwards'),
  chunkSize: bad(400, 'chunk-size'),
  chunkExtension: bad(400, 'chunk-extension'),
  chunkExtensionTooBig: bad(400, 'chunk-extension-too-big'),
  chunkEnd: bad(400, 'chunk-end'),
  trailer: bad(400, 'trailer'),
  trailersTooBig: bad(431, 'trailers-too-big'),
} as const satisfies Record<string, Bad>;
