// Requests and responses that are right, nearly right or nonsense, and what random changes make of
// them. `TOKEN` in them becomes the mark of who sent them, so that it is seen where it comes out.
import { pick, type Random } from '../../../shared/random.ts';

const host = 'Host: a.example\r\n';
const mark = 'X-Token: TOKEN\r\n';
const inner = 'GET /echo/TOKEN HTTP/1.1\r\nHost: b\r\n\r\n';
const post = (more: string, body: string) =>
  `POST /echo/TOKEN HTTP/1.1\r\n${host}${mark}${more}\r\n${body}`;

export const REQUESTS: readonly string[] = [
  `GET /echo/TOKEN HTTP/1.1\r\n${host}${mark}\r\n`,
  `GET /echo/TOKEN HTTP/1.1\r\n${host}${mark}Connection: keep-alive\r\n\r\n`,
  `HEAD /echo/TOKEN HTTP/1.1\r\n${host}${mark}\r\n`,
  `OPTIONS * HTTP/1.1\r\n${host}${mark}\r\n`,
  `GET http://b.example/echo/TOKEN?a=%2f HTTP/1.1\r\n${host}${mark}\r\n`,
  `GET /echo/TOKEN HTTP/1.0\r\nConnection: keep-alive\r\n${mark}\r\n`,
  post('Content-Length: 9\r\n', 'TOKEN-123'),
  post(`Content-Length: ${inner.length}\r\n`, inner),
  post('Content-Length: 4\r\n', `abcd${inner}`),
  post('Content-Length: 4\r\nContent-Length: 4\r\n', `abcd${inner}`),
  post('Content-Length: 0\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${inner}`),
  post('Transfer-Encoding: chunked\r\n', '5\r\nTOKEN\r\n3;a=b\r\nxyz\r\n0\r\nX-Sum: 1\r\n\r\n'),
  post('Transfer-Encoding: chunked\r\n', `0\r\n\r\n${inner}`),
  post('Transfer-Encoding: chunked\r\n', `2a\r\n${inner.padEnd(42)}\r\n0\r\n\r\n`),
  post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', `0\r\n\r\n${inner}`),
  post('Transfer-Encoding:\u000bchunked\r\n', `0\r\n\r\n${inner}`),
  post('Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n', `0\r\n\r\n${inner}`),
  post('Expect: 100-continue\r\nContent-Length: 3\r\n', 'abc'),
  post('Content-Length: +3\r\n', 'abc'),
  post('Content-Length : 3\r\n', 'abc'),
  post('Connection: close, X-Token\r\nContent-Length: 3\r\n', 'abc'),
  `GET /echo/TOKEN HTTP/1.1\n${host}${mark}\n`,
  `GET /echo/TOKEN HTTP/1.1\r\n${host} folded\r\n${mark}\r\n`,
  `GET /echo/TOKEN HTTP/1.1\r\nHost: a\r\nHost: b\r\n${mark}\r\n`,
  `GET  /echo/TOKEN  HTTP/1.1\r\n${host}${mark}\r\n`,
  `GET /echo/../TOKEN/%00 HTTP/1.1\r\n${host}${mark}\r\n`,
  `GET /ws/TOKEN HTTP/1.1\r\n${host}${mark}Connection: Upgrade\r\nUpgrade: foo\r\n\r\n${inner}`,
  `CONNECT a.example:80 HTTP/1.1\r\n${host}${mark}\r\n${inner}`,
  `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
  `GET /echo/TOKEN HTTP/1.1\r\n${host}${mark}Accept-Encoding: gzip\r\n\r\n`,
];

const ok = 'HTTP/1.1 200 OK\r\nX-Tokens: TOKEN\r\n';
const second = `${ok}Content-Length: 5\r\n\r\nTOKEN`;

export const RESPONSES: readonly string[] = [
  `${ok}Content-Length: 5\r\n\r\nTOKEN`,
  `${ok}Content-Length: 5\r\n\r\nTOKEN${second}`,
  `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nTOKEN\r\n0\r\n\r\n`,
  `${ok}Transfer-Encoding: chunked\r\n\r\n5;x="y"\r\nTOKEN\r\n0\r\nX-Sum: TOKEN\r\nTE: a\r\n\r\n`,
  `${ok}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n5\r\nTOKEN\r\n0\r\n\r\n${second}`,
  `${ok}\r\nTOKEN until the end`,
  `${ok}Content-Length: 50\r\n\r\nTOKEN`,
  `${ok}Content-Length: 5\r\nContent-Length: 6\r\n\r\nTOKEN!`,
  `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </TOKEN>\r\nDate: a\r\nDate: b\r\n\r\n${second}`,
  `HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\nTOKEN`,
  `HTTP/1.1 204 No Content\r\nX-Tokens: TOKEN\r\nContent-Length: 5\r\n\r\n${second}`,
  `HTTP/1.1 304 Not Modified\r\nX-Tokens: TOKEN\r\nContent-Length: 5\r\n\r\n${second}`,
  `HTTP/1.1 205 Reset\r\nX-Tokens: TOKEN\r\nContent-Length: 5\r\n\r\nTOKEN`,
  `HTTP/1.1 503 No\r\nX-Tokens: TOKEN\r\nConnection: close\r\nContent-Length: 5\r\n\r\nTOKEN`,
  `${ok}Trailer: X\r\nContent-Length: 5\r\n\r\nTOKEN`,
  `${ok}TE: gzip\r\nHTTP2-Settings: x\r\nUpgrade: h2c\r\nKeep-Alive: timeout=1\r\nContent-Length: 5\r\n\r\nTOKEN`,
  `${ok}Content-Type: text/html\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nVia: 1.1 x\r\nContent-Length: 5\r\n\r\nTOKEN`,
  `HTTP/1.1 200 \u00ff\u0080\r\nX-Tokens: TOKEN\r\nX-High: \u00ff\u00fe\r\nContent-Length: 5\r\n\r\nTOKEN`,
  `${ok}:path: /\r\nContent-Length: 5\r\n\r\nTOKEN`,
  `HTTP/1.0 200 OK\r\nX-Tokens: TOKEN\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nTOKEN`,
  `TOKEN\r\n\r\n`,
  `HTTP/2.0 200\r\n\r\n`,
  '',
];

/** Where parsers disagree. */
const SPICE = [
  ...['\r\n', '\n', '\r', '\0', ' ', '\t', ':', ',', ';', '"', '\u000b', '\u0085', '\u00a0', '%00'],
  ...['Content-Length: 1\r\n', 'Transfer-Encoding: chunked\r\n', 'Connection: close\r\n'],
  ...['0\r\n\r\n', '\r\n\r\n', 'ffffffffffffffff\r\n', '-1', '1e9', '0x10', 'HTTP/1.1', 'chunked'],
  ...['Upgrade: websocket\r\n', 'Expect: 100-continue\r\n', 'Host: c\r\n', '\u00ff\u00ff\u00ff'],
];

/** One of the corpus, changed in up to four places; a quarter of them stays as it is. */
export function mutated(corpus: readonly string[], random: Random): string {
  let text = pick(random, corpus);
  for (let left = random.integer(5) - 1; left > 0; left--) {
    const at = random.integer(text.length + 1);
    const to = Math.min(text.length, at + 1 + random.integer(8));
    const kinds = [
      () => text.slice(0, at) + pick(random, SPICE) + text.slice(at),
      () => text.slice(0, at) + pick(random, SPICE) + text.slice(to),
      () => text.slice(0, at) + String.fromCharCode(random.integer(256)) + text.slice(at + 1),
      () => text.slice(0, at) + text.slice(to),
      () => text.slice(0, at) + text.slice(at, to) + text.slice(at),
      () => text.slice(0, at) + pick(random, corpus).slice(random.integer(60)),
    ];
    text = pick(random, kinds)();
  }
  return text;
}
