// Node's own parser (llhttp, strict) as an oracle: what it makes of a stream of messages.
import { createRequire } from 'node:module';

/** A message as either parser sees it. */
export type Message = {
  /** Method and target of a request, status of a response. */
  first: string;
  /** Names in lower case, in order. */
  fields: [name: string, value: string][];
  body: string;
  isComplete: boolean;
  /** The whole first line; llhttp does not tell. */
  line?: string;
  /** The oracle stops at a request for a tunnel; we go on until there is one. */
  isUpgrade?: boolean;
};

type Raw = {
  initialize(kind: number, resource: object, maxHeaderSize: number, lenient: number): void;
  execute(bytes: Buffer): number | Error;
  [callback: number]: (...values: unknown[]) => unknown;
};
type RawClass = Record<
  'REQUEST' | 'RESPONSE' | 'kOnHeaders' | 'kOnHeadersComplete' | 'kOnBody' | 'kOnMessageComplete',
  number
> & { new (): Raw };

const common = createRequire(import.meta.url)('node:_http_common') as {
  HTTPParser: RawClass;
  methods: readonly string[];
};
const { HTTPParser } = common;
// kOnHeadersComplete gives a method's number in the parser's own list of all of them.
const ALL_METHODS = methodNames();

function methodNames(): string[] {
  const names: string[] = [];
  for (const method of common.methods) {
    const parser = new HTTPParser();
    parser.initialize(HTTPParser.REQUEST, {}, 0, 0);
    parser[HTTPParser.kOnHeadersComplete] = (_major, _minor, _fields, number) => {
      names[number as number] = method;
      return 0;
    };
    parser.execute(
      Buffer.from(`${method} ${method === 'CONNECT' ? 'a:1' : '/'} HTTP/1.1\r\nHost: a\r\n\r\n`),
    );
  }
  return names;
}

export function knowsMethod(method: string): boolean {
  return common.methods.includes(method);
}

/** Messages up to its first error, if there is one. `isHead`: responses have no bodies. */
export function llhttp(
  kind: 'REQUEST' | 'RESPONSE',
  bytes: Buffer,
  isHead = false,
): { messages: Message[]; error: string | undefined } {
  const messages: Message[] = [];
  let last: Message | undefined;
  let early: string[] = [];
  let earlyTarget = '';
  const parser = new HTTPParser();
  parser.initialize(HTTPParser[kind], {}, 1 << 20, 0);
  parser[HTTPParser.kOnHeaders] = (fields, target) => {
    early.push(...(fields as string[]));
    earlyTarget += target as string;
  };
  parser[HTTPParser.kOnHeadersComplete] = (...values) => {
    const [, , fields, method, target, status] = values as [0, 0, string[], number, string, number];
    const pairs = [...early, ...(fields ?? [])];
    const first =
      kind === 'REQUEST' ? `${ALL_METHODS[method]} ${earlyTarget || target}` : String(status);
    early = [];
    earlyTarget = '';
    last = { first, fields: paired(pairs), body: '', isComplete: false };
    messages.push(last);
    return isHead ? 1 : 0;
  };
  parser[HTTPParser.kOnBody] = (piece) => {
    if (last !== undefined) last.body += (piece as Buffer).toString('latin1');
  };
  parser[HTTPParser.kOnMessageComplete] = () => {
    if (last !== undefined) last.isComplete = true;
    early = [];
    earlyTarget = '';
  };
  const result = parser.execute(bytes);
  const error = typeof result === 'number' ? undefined : (result as Error & { code: string }).code;
  return { messages, error };
}

function paired(flat: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) {
    pairs.push([(flat[i] as string).toLowerCase(), flat[i + 1] as string]);
  }
  return pairs;
}
