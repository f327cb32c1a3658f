// A client's HTTP/1.1 request as the forwarder gets it. One object a connection, set anew for each
// request.
import type { Route } from '../../../shared/site/lb-objects.ts';
import type { RequestHead } from '../http1/types.ts';
import { fieldsOf, viewOf } from '../http1/view.ts';
import { writeRequestHead } from '../http1/write-head.ts';
import type { ClientInfo, HeadEdits, Outgoing, Policy, RequestView } from '../types.ts';

const FIRST_BYTES = 40_960;

/** Of all connections: a head is done with before the next is written. */
let room = Buffer.allocUnsafeSlow(FIRST_BYTES);

export class ClientRequest implements Outgoing {
  view: RequestView;
  isUpgrade = false;
  readonly client: ClientInfo;
  readonly #head: RequestHead;
  readonly #policy: Policy;
  readonly #how: Parameters<typeof writeRequestHead>[3];
  #route: Route | undefined;

  constructor(
    head: RequestHead,
    client: ClientInfo,
    policy: Policy,
    self: string,
    isHttp2 = false,
  ) {
    this.#head = head;
    this.client = client;
    this.#policy = policy;
    this.#how = { framing: 'none', contentLength: -1, upgrade: false, via: self, isHttp2 };
    this.view = viewOf(head);
  }

  /** For the head that was parsed last. */
  begin(): void {
    this.view = viewOf(this.#head);
    this.isUpgrade = false;
    this.#route = undefined;
  }

  get route(): Route {
    if (this.#route === undefined) throw new Error('the request has no route yet');
    return this.#route;
  }

  set route(route: Route) {
    this.#route = route;
  }

  /** '' before it is routed. */
  get routeName(): string {
    return this.#route?.name ?? '';
  }

  get hasBody(): boolean {
    const { framing, contentLength } = this.#head;
    return framing === 'chunked' || (framing === 'length' && contentLength > 0);
  }

  get bodyBytes(): number {
    const { framing, contentLength } = this.#head;
    if (framing === 'length') return contentLength;
    return framing === 'chunked' ? -1 : 0;
  }

  headBytes(authority: string | undefined): Buffer {
    const how = this.#how;
    const { framing } = this.#head;
    how.framing = framing === 'close' ? 'none' : framing;
    how.contentLength = this.#head.contentLength;
    how.upgrade = this.isUpgrade;
    const edits = this.#edits(authority);
    let length = writeRequestHead(room, this.#head, edits, how);
    while (length < 0) {
      room = Buffer.allocUnsafeSlow(2 * room.length);
      length = writeRequestHead(room, this.#head, edits, how);
    }
    return room.subarray(0, length);
  }

  headList(authority: string | undefined): [name: string, value: string][] {
    const { view, client } = this;
    const edits = this.#edits(authority);
    const host = edits.authority ?? this.#head.authority;
    return [
      [':method', view.method],
      [':scheme', client.scheme],
      [':authority', host],
      [':path', edits.target ?? view.target],
      ...fieldsOf(this.#head, edits).filter(([name]) => name !== 'host'),
      ['via', `${this.#how.isHttp2 ? '2.0' : `1.${this.#head.minor}`} ${this.#how.via}`],
    ];
  }

  #edits(authority: string | undefined): HeadEdits {
    const edits = this.#policy.requestEdits(this.route, this.view, this.client);
    return authority === undefined ? edits : { ...edits, authority };
  }
}
