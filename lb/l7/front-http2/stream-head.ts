// The head of a stream's request (RFC 9113, 8.3; RFC 8441) as one of HTTP/1.1, so that one grammar
// and one writer serve both: what HTTP/1.1 would refuse is refused here. Pure.
import { BAD } from '../http1/bad.ts';
import { putField, putLineEnd, putText } from '../http1/head-writer.ts';
import { createRequestHead, parseRequestHead } from '../http1/request-head.ts';
import type { Bad, RequestHead } from '../http1/types.ts';

/** A name and its value, one after the other, as node:http2 has them. */
export type FlatFields = readonly string[];

const PSEUDO = [':method', ':scheme', ':authority', ':path', ':protocol'] as const;
type Pseudo = Partial<Record<(typeof PSEUDO)[number], string>>;

/** Of one connection in HTTP/1.1: nghttp2 refuses them, and nothing rests on that alone. */
const FORBIDDEN = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);
/** No blank may begin or end a value (RFC 9113, 8.2.1). */
const EDGES = /^[ \t]|[ \t]$/;
/** They ask for content: without any they say so (RFC 9110, 8.6). */
const WITH_CONTENT = new Set(['POST', 'PUT', 'PATCH']);

const SCHEME: Bad = { status: 400, reason: 'scheme' };
const PROTOCOL: Bad = { status: 501, reason: 'protocol' };
const PSEUDO_FIELD: Bad = { status: 400, reason: 'pseudo-field' };

export type StreamHead = { head: RequestHead; isWebSocket: boolean };

/**
 * `isWhole`: END_STREAM came with the head. `websocketKey`: for the upgrade that an extended
 * CONNECT becomes (RFC 8441, 5), 24 characters.
 */
export function readStreamHead(
  fields: FlatFields,
  isWhole: boolean,
  websocketKey: () => string,
): StreamHead | Bad {
  const pseudo: Pseudo = {};
  const list: [string, string][] = [];
  const crumbs: string[] = [];
  const hosts: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    const value = fields[at + 1] as string;
    if (EDGES.test(value)) return BAD.fieldValue;
    if (name.startsWith(':')) {
      if (!isPseudo(name) || pseudo[name] !== undefined) return PSEUDO_FIELD;
      pseudo[name] = value;
    } else if (FORBIDDEN.has(name)) return BAD.connection;
    else if (name === 'cookie') crumbs.push(value);
    else if (name === 'host') hosts.push(value);
    else if (name === 'te') {
      if (value !== 'trailers') return BAD.connection;
      list.push(['te', value], ['connection', 'te']);
    } else list.push([name, value]);
  }
  // They may have come one by one (RFC 9113, 8.2.3).
  if (crumbs.length > 0) list.push(['cookie', crumbs.join('; ')]);
  const isWebSocket = pseudo[':method'] === 'CONNECT' && pseudo[':protocol'] !== undefined;
  const bad = badPseudo(pseudo, hosts, isWebSocket);
  if (bad !== undefined) return bad;
  const method = isWebSocket ? 'GET' : (pseudo[':method'] ?? '');
  const line = `${method} ${pseudo[':path'] ?? ''} HTTP/1.1`;
  const host = pseudo[':authority'] ?? hosts[0] ?? '';
  if (isWebSocket) list.push(...upgradeFields(list, websocketKey()));
  else list.push(...framingFields(list, method, isWhole));
  return parse(line, [['host', host], ...list], isWebSocket);
}

function isPseudo(name: string): name is (typeof PSEUDO)[number] {
  return (PSEUDO as readonly string[]).includes(name);
}

function badPseudo(pseudo: Pseudo, hosts: readonly string[], isWebSocket: boolean) {
  const { ':method': method, ':scheme': scheme, ':path': path, ':protocol': protocol } = pseudo;
  const authority = pseudo[':authority'];
  if (method === 'CONNECT' && !isWebSocket) return BAD.connect;
  if (protocol !== undefined && !isWebSocket) return PSEUDO_FIELD;
  if (isWebSocket && protocol?.toLowerCase() !== 'websocket') return PROTOCOL;
  if (scheme !== 'http' && scheme !== 'https') return SCHEME;
  // Else the target would be read as one of another form.
  if (path === undefined || !(path.startsWith('/') || path === '*')) return BAD.targetForm;
  if (hosts.length > 1) return BAD.hostTwice;
  const host = hosts[0];
  if (authority === undefined || host === undefined) return undefined;
  return authority.toLowerCase() === host.toLowerCase() ? undefined : BAD.authority;
}

function upgradeFields(list: readonly [string, string][], key: string): [string, string][] {
  const fields: [string, string][] = [
    ['connection', 'upgrade'],
    ['upgrade', 'websocket'],
    ['sec-websocket-key', key],
  ];
  const isTold = list.some(([name]) => name === 'sec-websocket-version');
  return isTold ? fields : [...fields, ['sec-websocket-version', '13']];
}

function framingFields(
  list: readonly [string, string][],
  method: string,
  isWhole: boolean,
): [string, string][] {
  if (list.some(([name]) => name === 'content-length')) return [];
  if (!isWhole) return [['transfer-encoding', 'chunked']];
  return WITH_CONTENT.has(method) ? [['content-length', '0']] : [];
}

function parse(
  line: string,
  fields: readonly (readonly [string, string])[],
  isWebSocket: boolean,
): StreamHead | Bad {
  let size = line.length + 4;
  for (const [name, value] of fields) size += name.length + value.length + 4;
  const bytes = Buffer.allocUnsafe(size);
  let end = putLineEnd(bytes, putText(bytes, 0, line));
  for (const [name, value] of fields) {
    // An extended CONNECT is of no content, and its key is ours (RFC 8441, 5).
    if (isWebSocket && name === 'content-length') continue;
    end = putField(bytes, end, name, value);
  }
  end = putLineEnd(bytes, end);
  const head = createRequestHead();
  const parsed = parseRequestHead(bytes, 0, end, head);
  if (parsed === 'done') return head.end === end ? { head, isWebSocket } : BAD.fieldValue;
  return parsed === 'more' ? BAD.headTooBig : parsed;
}
