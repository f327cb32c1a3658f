// A case of conformance of HTTP/1.1: what a client and a target do, byte for byte, and what each of
// them gets. Text is written with LF for CRLF, `<LF>`, `<CR>`, `<NUL>` … for that byte alone.
import type { PoolProxy, Route } from '../../../../shared/site/lb-objects.ts';

export type Wait = { until: 'client' | 'target'; hears: string };
export type End = { end: 'fin' | 'rst' };
/** The balancer has closed its side of that connection, or the last one of the target's. */
export type Closing = { closed: 'client' | 'target' };
/** Text is said. A wait is over once that side has got the text. */
export type Act = string | Wait | End | Closing;

/** What the target does with a request: once all of it is there, or only its head. */
export type Answer = { at: 'message' | 'head'; acts: readonly Act[] };

/**
 * unused: no request came. kept: the next request, of whomever, comes on the same one. dropped: it
 * comes on another, and those that there were are closed.
 */
export type Upstream = 'unused' | 'kept' | 'dropped';

export type Setup = {
  /** Times out after about a second wherever a client is waited for. */
  impatient?: boolean;
  proxy?: Partial<PoolProxy>;
  route?: Partial<Route>;
  /** PROXY headers are taken from these (the client is 127.0.0.1); X-Forwarded-* of these, too. */
  proxyFrom?: string;
  trusted?: string;
  /** `only`: nobody listens where the target should be. `first`: there is such a one, too. */
  dead?: 'only' | 'first';
};

export type Row = {
  /** Of the project's list of cases; `A…` are beyond it. */
  id: string;
  /** Of RFC 9112, or with the number of another. */
  section: string;
  what: string;
  client: readonly Act[];
  /** By request, as they come; what is not there is answered 200 with `ok`. */
  target: readonly Answer[];
  /**
   * What reaches the target, request by request, without our own fields; the last one may be cut
   * off. `own`: with them.
   */
  sent: readonly string[];
  own: boolean;
  /** Responses as the client gets them, without Date and Via; a number: a page of our own. */
  heard: readonly (string | number)[];
  /** What the client says has no end: it is asked for nothing more. */
  unfinished: boolean;
  /** How its connection is left; `open`: another request on it is answered. */
  left: 'open' | 'closed' | 'reset';
  upstream: Upstream;
  /** Which of the responses have no body though their fields tell of one (HEAD). */
  bodiless: readonly number[];
  /** Fields that the table tells of, besides line, Host and body; lower case. `trailers`: those. */
  watch: readonly string[];
  setup: Setup;
  /** What others do depends on what comes to them first, or in one piece. */
  byChance: boolean;
  /** Why ours is as it is, where an RFC leaves it open or others differ. */
  why: string;
};

export function isProxied({ setup }: Row): boolean {
  return setup.proxyFrom?.startsWith('127.') === true;
}

export type Details = Partial<Omit<Row, 'id' | 'section' | 'what'>>;

export const FIN: End = { end: 'fin' };
export const RST: End = { end: 'rst' };
export const atTarget = (hears: string): Wait => ({ until: 'target', hears });
export const atClient = (hears: string): Wait => ({ until: 'client', hears });

export const targetClosed: Closing = { closed: 'target' };

export const OK = 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok';

/** A head of GET or POST to `a`; `fields` are whole lines. */
export const get = (fields = '', path = '/') => `GET ${path} HTTP/1.1\nHost: a\n${fields}\n`;
export const post = (fields = '', body = '') => `POST / HTTP/1.1\nHost: a\n${fields}\n${body}`;

/** The target answers the whole request so. */
export const answers = (...acts: readonly Act[]): Answer => ({ at: 'message', acts });
/** It answers as soon as the head is there. */
export const answersHead = (...acts: readonly Act[]): Answer => ({ at: 'head', acts });

const NOTHING: Omit<Row, 'id' | 'section' | 'what'> = {
  client: [],
  target: [],
  sent: [],
  own: false,
  heard: [],
  unfinished: false,
  left: 'open',
  upstream: 'kept',
  bodiless: [],
  watch: [],
  setup: {},
  byChance: false,
  why: '',
};

/** Any row. */
export function row(id: string, section: string, what: string, details: Details): Row {
  return { ...NOTHING, id, section, what, ...details };
}

/** The client is refused and cut off, the target hears nothing. */
export function refused(
  id: string,
  section: string,
  what: string,
  said: string,
  status = 400,
  details: Details = {},
): Row {
  return row(id, section, what, {
    client: [said],
    heard: [status],
    left: 'closed',
    upstream: 'unused',
    ...details,
  });
}

/** The request reaches the target as `sent`, and its answer the client; both connections stay. */
export function passed(
  id: string,
  section: string,
  what: string,
  said: string,
  sent = said,
  details: Details = {},
): Row {
  return row(id, section, what, { client: [said], sent: [sent], heard: [OK], ...details });
}

/** GET /; the target's answer reaches the client as `heard`; both connections stay. */
export function answered(
  id: string,
  section: string,
  what: string,
  answer: string,
  heard = answer,
  details: Details = {},
): Row {
  return row(id, section, what, {
    client: [get()],
    target: [answers(answer)],
    sent: [get()],
    heard: [heard],
    ...details,
  });
}

/** The target's answer is refused: 502, and its connection closed. */
export function badAnswer(
  id: string,
  section: string,
  what: string,
  answer: string,
  details: Details = {},
): Row {
  return row(id, section, what, {
    client: [get()],
    target: [answers(answer)],
    sent: [get()],
    heard: [502],
    upstream: 'dropped',
    ...details,
  });
}
