// Our codecs over a stream of messages, in the terms of llhttp.ts.
import { Body } from '../../../../lb/l7/http1/body.ts';
import { createRequestHead, parseRequestHead } from '../../../../lb/l7/http1/request-head.ts';
import { createResponseHead, parseResponseHead } from '../../../../lb/l7/http1/response-head.ts';
import { FIELD, type Head } from '../../../../lb/l7/http1/types.ts';
import type { Message } from './llhttp.ts';

/** `error`: the reason; messages before it, and the one whose body it was in, are told. */
export function ours(
  kind: 'REQUEST' | 'RESPONSE',
  bytes: Buffer,
  isHead = false,
): { messages: Message[]; error: string | undefined } {
  const messages: Message[] = [];
  const [request, response, body] = [createRequestHead(), createResponseHead(), new Body()];
  const head = kind === 'REQUEST' ? request : response;
  for (let at = 0; at < bytes.length; ) {
    const method = isHead ? 'HEAD' : 'GET';
    const verdict =
      kind === 'REQUEST'
        ? parseRequestHead(bytes, at, bytes.length, request)
        : parseResponseHead(bytes, at, bytes.length, response, { method });
    if (verdict === 'more') break;
    if (verdict !== 'done') return { messages, error: verdict.reason };
    const target = bytes.toString('latin1', request.start, request.pathEnd);
    const message: Message = {
      first: kind === 'REQUEST' ? target : String(response.status),
      fields: fieldsAsCame(head),
      body: '',
      isComplete: false,
      line: bytes.toString('latin1', head.start, bytes.indexOf('\r', head.start)),
      isUpgrade: (head.present & (1 << FIELD.UPGRADE)) !== 0 && saysUpgrade(head),
    };
    messages.push(message);
    body.reset(head);
    const taken = body.take(bytes, head.end, (piece) => {
      message.body += piece.toString('latin1');
    });
    message.isComplete = body.done;
    if (body.bad !== undefined) return { messages, error: body.bad.reason };
    at = head.end + taken;
    if (!body.done || !head.keepAlive || response.status === 101) break;
  }
  return { messages, error: undefined };
}

function fieldsAsCame({ bytes, offsets, count }: Head): [string, string][] {
  return Array.from({ length: count }, (_, i) => {
    const [a = 0, b = 0, c = 0, d = 0] = offsets.subarray(4 * i, 4 * i + 4);
    return [bytes.toString('latin1', a, b).toLowerCase(), bytes.toString('latin1', c, d)];
  });
}

/** HTTP/1.0 too: the oracle takes it for one. */
function saysUpgrade(head: Head): boolean {
  const options = fieldsAsCame(head).filter(([name]) => name === 'connection');
  return options.some(([, value]) => /upgrade/i.test(value));
}
