// A target as a process, so that it can be killed and frozen: HTTP/1.1 and WebSocket echo.
// Started with its name, address and port.
//   GET /              what it saw, as JSON; `x-target` of each answer is its name
//   GET /bytes/<n>     so many bytes
//   PUT /sum           the SHA-256 of the body
//   GET /wait/<ms>     answers late
//   GET /reset, /cut, /bad, /never     what a bad target does instead of answering
//   GET /page …        a page with what belongs to it
// A WebSocket echoes; `close 4000 why`, `drop` and `ping …` are commands.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type WebSocket, ws } from './lb-rig-ws.ts';

const [name = 'a target', host = '127.0.0.1', port = '0'] = process.argv.slice(2);

const PAGE = `<!doctype html><title>edge</title><link rel=stylesheet href=/style.css>
<body><p id=styled>styled</p><img src=/image.svg onload="this.dataset.loaded='yes'">
<script src=/script.js></script></body>`;
const SCRIPT = `const answers = Promise.all(Array.from({ length: 12 }, (_, at) =>
  fetch('/bytes/' + at * 1000).then((answer) => answer.arrayBuffer())));
answers.then((all) => {
  const told = document.createElement('p');
  const sizes = all.map(({ byteLength }) => byteLength).join(' ');
  const { color } = getComputedStyle(document.getElementById('styled'));
  told.textContent = 'fetched ' + sizes + ', ' + color;
  document.body.append(told);
});`;
const PARTS: Readonly<Record<string, readonly [type: string, body: string]>> = {
  '/page': ['text/html', PAGE],
  '/style.css': ['text/css', '#styled { color: rgb(1, 2, 3) }'],
  '/script.js': ['text/javascript', SCRIPT],
  '/image.svg': ['image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'],
};

const text = (response: ServerResponse, body: string | Buffer, type = 'text/plain'): void => {
  response.writeHead(200, { 'content-type': type, 'x-target': name });
  response.end(body);
};

async function sum(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const hash = createHash('sha256');
  for await (const piece of request) hash.update(piece);
  text(response, hash.digest('hex'));
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { method, url = '/', headers, socket } = request;
  const [, verb = '', argument = ''] = /^\/([a-z]+)\/?(\w*)/.exec(url) ?? [];
  const part = PARTS[url];
  if (part !== undefined) text(response, part[1], part[0]);
  else if (verb === 'bytes') text(response, Buffer.alloc(Number(argument), 'edge'));
  else if (verb === 'sum') sum(request, response).catch(() => socket.destroy());
  else if (verb === 'wait') setTimeout(() => text(response, 'late'), Number(argument));
  else if (verb === 'never') request.resume();
  else if (verb === 'reset') socket.resetAndDestroy();
  else if (verb === 'bad')
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n');
  else if (verb === 'cut') {
    response.writeHead(200, { 'content-length': '100000' });
    response.write('half', () => socket.destroy());
  } else {
    const told = { name, method, url, headers, port: socket.remotePort };
    text(response, JSON.stringify(told), 'application/json');
  }
}

function echo(socket: WebSocket): void {
  socket.on('error', () => {}); // 'close' follows
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    const [, verb, code, why = ''] = /^(close|drop|ping) ?(\d*) ?(.*)$/.exec(`${data}`) ?? [];
    if (isBinary || verb === undefined) socket.send(data, { binary: isBinary });
    else if (verb === 'drop') socket.terminate();
    else if (verb === 'ping') socket.ping(why);
    else if (code === '') socket.close();
    else socket.close(Number(code), why);
  });
}

const sockets = new ws.WebSocketServer({
  noServer: true,
  perMessageDeflate: true,
  maxPayload: 2 ** 26,
});
const server = createServer(answer);
server.keepAliveTimeout = 30_000;
server.on('upgrade', (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, echo);
});
server.listen(Number(port), host);
