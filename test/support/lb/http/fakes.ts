// What stands behind a front in its tests: a forwarder that hands each request to the script, a
// policy with one route, a journal that is kept.
import { until } from '../../../../lab/ready.ts';
import { createResponseHead, parseResponseHead } from '../../../../lb/l7/http1/response-head.ts';
import type { ResponseHead } from '../../../../lb/l7/http1/types.ts';
import type {
  AccessEntry,
  Decision,
  ForwardFailure,
  Forwarding,
  ForwardRecord,
  HeadEdits,
  Journal,
  Outgoing,
  Policy,
  RequestView,
  TerminationCause,
} from '../../../../lb/l7/types.ts';
import type { ClientSocket, Forwarder, Incoming } from '../../../../lb/l7/wiring.ts';
import type { Listener, Route } from '../../../../shared/site/lb-objects.ts';
import { listener, route } from '../objects.ts';

export const LISTENER = listener({ http2: false });

export const ROUTE = route('all', { action: { kind: 'pool', pool: 'p' } });

/** One route, and no edits; `decide` and `compress` may be replaced. */
export class FakePolicy implements Policy {
  route: Route = ROUTE;
  edits: HeadEdits = { drop: new Set(), add: [] };
  compress = (_view: RequestView, _head: ResponseHead): boolean => false;
  /** In place of the route; `later` is to be called then. */
  answer:
    | ((view: RequestView, later: (decision: Decision) => void) => Decision | 'later')
    | undefined;

  decide(
    _listener: Listener,
    view: RequestView,
    _client: unknown,
    done: (decision: Decision) => void,
  ): void {
    const decision = this.answer?.(view, done) ?? ({ kind: 'forward', route: this.route } as const);
    if (decision !== 'later') done(decision);
  }

  requestEdits(): HeadEdits {
    return this.edits;
  }

  responseEdits(): HeadEdits {
    return this.edits;
  }

  mayCompress(_route: Route, view: RequestView, head: ResponseHead): boolean {
    return this.compress(view, head);
  }

  admits(): boolean {
    return true;
  }

  update(): void {}
}

export class KeptJournal implements Journal {
  readonly entries: AccessEntry[] = [];

  ended(entry: AccessEntry): void {
    this.entries.push({ ...entry });
  }

  /** Once there are so many: how the last one of them ended. */
  async ends(count: number): Promise<AccessEntry> {
    return await until(`${count} in the journal`, () => this.entries[count - 1], { everyMs: 1 });
  }
}

/** A request that a front handed over, and the script's answer to it. */
export class Handed implements Forwarding {
  readonly request: Outgoing;
  /** As it would be sent to a target. */
  readonly head: string;
  readonly target: string;
  body = '';
  trailers: string | undefined;
  isBodyEnded = false;
  aborted: TerminationCause | undefined;
  resumed = 0;
  /** What writeBody says. */
  isTaking = true;
  readonly incoming: Incoming;
  readonly record: ForwardRecord = {
    pool: 'p',
    target: '127.0.0.1:1',
    tries: 1,
    isReused: false,
    queueMs: 0,
    connectMs: 0,
    headMs: 0,
    status: 0,
    bytesIn: 0,
    cause: 'ok',
  };
  readonly #parsed = createResponseHead();

  constructor(request: Outgoing, incoming: Incoming) {
    this.request = request;
    this.incoming = incoming;
    this.head = request.headBytes(undefined).toString('latin1');
    this.target = request.view.target;
  }

  writeBody(piece: Buffer): boolean {
    this.body += piece.toString('latin1');
    return this.isTaking;
  }

  endBody(trailers: Buffer | undefined): void {
    this.isBodyEnded = true;
    this.trailers = trailers?.toString('latin1');
  }

  abort(cause: TerminationCause): void {
    this.aborted = cause;
  }

  resume(): void {
    this.resumed++;
  }

  /** A head, and what of the body is behind it. */
  respond(text: string, options: { isOver?: boolean; cookie?: string } = {}): boolean {
    const bytes = Buffer.from(text, 'latin1');
    const head = this.#parse(bytes);
    this.incoming.onHead(head, options.cookie);
    const isTaken = head.end === bytes.length || this.incoming.onBody(bytes.subarray(head.end));
    if (options.isOver !== false) this.incoming.onEnd(undefined);
    return isTaken;
  }

  interim(text: string): void {
    this.incoming.onInterim(this.#parse(Buffer.from(text, 'latin1')));
  }

  piece(text: string): boolean {
    return this.incoming.onBody(Buffer.from(text, 'latin1'));
  }

  end(trailers?: string): void {
    this.incoming.onEnd(trailers === undefined ? undefined : Buffer.from(trailers, 'latin1'));
  }

  fail(failure: ForwardFailure): void {
    this.incoming.onFail(failure);
  }

  cut(failure: ForwardFailure): void {
    this.incoming.onCut(failure);
  }

  upgrade(text: string, socket: ClientSocket): void {
    const bytes = Buffer.from(text, 'latin1');
    const head = this.#parse(bytes);
    this.incoming.onUpgrade(head, socket, bytes.subarray(head.end));
  }

  #parse(bytes: Buffer): ResponseHead {
    const of = { method: this.request.view.method };
    const parsed = parseResponseHead(bytes, 0, bytes.length, this.#parsed, of);
    if (parsed !== 'done') throw new Error(`no response: ${JSON.stringify(parsed)}`);
    return this.#parsed;
  }
}

export class ScriptedForwarder implements Forwarder {
  readonly handed: Handed[] = [];
  /** Called before forward() returns. */
  atOnce: ((handed: Handed) => void) | undefined;
  #next = 0;

  forward(request: Outgoing, incoming: Incoming): Forwarding {
    const handed = new Handed(request, incoming);
    this.handed.push(handed);
    this.atOnce?.(handed);
    return handed;
  }

  /** The next request that was not asked for yet, once it is there. */
  async next(): Promise<Handed> {
    const index = this.#next++;
    return await until(`request ${index}`, () => this.handed[index], { everyMs: 1 });
  }
}
