// A request's head for an HTTP/2 target, with the length of its body (RFC 9113, 8.1.1).
import type { Outgoing } from '../types.ts';

export function headListOf(request: Outgoing): [name: string, value: string][] {
  const list = request.headList(request.route.rewriteHost);
  const isTold = request.hasBody && request.bodyBytes >= 0;
  return isTold ? [...list, ['content-length', String(request.bodyBytes)]] : list;
}
