// A stream's request as the forwarder gets it: what an HTTP/1.1 one is, and `te: trailers`, which a
// gRPC server insists on (RFC 9113, 8.2.2).
import { ClientRequest } from '../front-http1/request.ts';
import type { RequestHead } from '../http1/types.ts';
import type { ClientInfo, Policy } from '../types.ts';

export class StreamRequest extends ClientRequest {
  readonly head: RequestHead;
  readonly #takesTrailers: boolean;

  constructor(head: RequestHead, client: ClientInfo, policy: Policy, self: string) {
    super(head, client, policy, self, true);
    this.head = head;
    this.#takesTrailers = this.view.header('te') !== undefined;
  }

  override headList(authority: string | undefined): [name: string, value: string][] {
    const list = super.headList(authority);
    if (this.#takesTrailers) list.push(['te', 'trailers']);
    return list;
  }
}
