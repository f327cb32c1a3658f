// What clients and VMs serve: HTTP on port 80 and a UDP echo on 7; on 8081 to 8083 and 7070 the
// same for lb, a port for each VIP. Started with the node's name.
//   GET /             the node's name, and whom it saw
//   GET /bytes/<n>    n bytes that depend only on n; the other side checks them by their SHA-256
//   PUT /sum          the SHA-256 of the body
import { createCipheriv, createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';

const name = process.argv[2] ?? 'a node';
const CHUNK = Buffer.alloc(1024 * 1024);

/** The same pseudo-random bytes each time: a cipher's key stream. */
export function* testBytes(count: number): Generator<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16));
  for (let left = count; left > 0; left -= CHUNK.length) {
    yield cipher.update(left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK);
  }
}

/** SHA-256 of testBytes(count), in hex. */
export function testSum(count: number): string {
  const hash = createHash('sha256');
  for (const chunk of testBytes(count)) hash.update(chunk);
  return hash.digest('hex');
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const bytes = /^\/bytes\/(\d{1,12})$/.exec(request.url ?? '')?.[1];
  if (bytes !== undefined) {
    response.setHeader('content-length', bytes);
    await pipeline(testBytes(Number(bytes)), response);
  } else if (request.method === 'PUT' && request.url === '/sum') {
    const hash = createHash('sha256');
    for await (const chunk of request) hash.update(chunk);
    response.end(`${hash.digest('hex')}\n`);
  } else {
    response.end(`${name} saw ${request.socket.remoteAddress} port ${request.socket.remotePort}\n`);
  }
}

async function serve(): Promise<void> {
  const listening = [80, 8081, 8082, 8083].map((port) => {
    const http = createServer((request, response) => {
      // A client that goes away mid-transfer is the client's affair.
      answer(request, response).catch((error) => response.destroy(error));
    });
    return new Promise<void>((resolve) => http.listen(port, '0.0.0.0', resolve));
  });
  const bound = [7, 7070].map((port) => {
    const udp = createSocket('udp4');
    udp.on('message', (data, from) => udp.send(data, from.port, from.address));
    return new Promise<void>((resolve) => udp.bind(port, '0.0.0.0', resolve));
  });
  await Promise.all([...listening, ...bound]);
  console.log(`${name} listening`);
}

if (import.meta.main) await serve();
