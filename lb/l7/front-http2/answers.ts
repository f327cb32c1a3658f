// Responses of our own, as flat fields and a body: pages for what went wrong, what policy answers,
// and failures as gRPC has them. Pure.
import { reasonOf } from '../http1/simple-response.ts';
import { grpcFailure } from './grpc.ts';
import { appendFields } from './response-fields.ts';

type Fields = readonly (readonly [name: string, value: string])[];
/** As policy decides. */
type Decided = { status: number; headers: Fields; body: Buffer; cause: string };

export type Answer = { fields: string[]; body: Buffer };

const ALLOW = ['allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'] as const;
const PLAIN = ['content-type', 'text/plain; charset=utf-8'] as const;
const NOTHING = Buffer.alloc(0);

export function pageAnswer(status: number, isGrpc: boolean): Answer {
  if (isGrpc && status >= 400) {
    return { fields: grpcFailure(status, `${status} ${reasonOf(status)}`), body: NOTHING };
  }
  if (status === 200) return answerOf(status, [ALLOW], NOTHING);
  const fields = status === 405 ? [PLAIN, ALLOW] : [PLAIN];
  return answerOf(status, fields, Buffer.from(`${status} ${reasonOf(status)}\n`));
}

/** What the site says is said as it is; what went wrong, a gRPC client is told in its way. */
export function decisionAnswer({ status, headers, body, cause }: Decided, isGrpc: boolean): Answer {
  const isOurs = cause !== 'answered';
  return isOurs && isGrpc ? pageAnswer(status, true) : answerOf(status, headers, body);
}

function answerOf(status: number, headers: Fields, body: Buffer): Answer {
  const fields = [':status', String(status)];
  appendFields(fields, headers);
  const isBodiless = status === 204 || status === 304;
  if (!isBodiless) fields.push('content-length', String(body.length));
  return { fields, body: isBodiless ? NOTHING : body };
}
