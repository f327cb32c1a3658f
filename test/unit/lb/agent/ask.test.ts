import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { askAgent } from '../../../../lb/agent/ask.ts';
import { systemClock as clock } from '../../../../shared/clock.ts';

async function agent(serve: (socket: Socket) => void): Promise<{ address: string; port: number }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { address: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

const ask = (place: { address: string; port: number }, timeoutMs = 5000) =>
  askAgent(place, { clock, timeoutMs, signal: new AbortController().signal });

test.each<[string, (socket: Socket) => void, object]>([
  ['a line, and closed', (socket) => socket.end('up 75%\n'), { line: 'up 75%' }],
  ['a line with CR', (socket) => socket.end('up\r\n'), { line: 'up' }],
  ['ended by closing', (socket) => socket.end('drain'), { line: 'drain' }],
  ['a line, and left open', (socket) => socket.write('up\n'), { line: 'up' }],
  ['only the first line', (socket) => socket.end('up\ndown\n'), { line: 'up' }],
  ['nothing', (socket) => socket.end(), { silent: 'it said nothing' }],
  ['an empty line', (socket) => socket.end('\r\n'), { silent: 'it said nothing' }],
  ['1023 bytes', (socket) => socket.end(`${'x'.repeat(1023)}\n`), { line: 'x'.repeat(1023) }],
  [
    'too much',
    (socket) => socket.end(`${'x'.repeat(1024)}\n`),
    { silent: 'its line is longer than 1 KiB' },
  ],
  [
    'a flood',
    (socket) => socket.end('x'.repeat(1_000_000)),
    { silent: 'its line is longer than 1 KiB' },
  ],
  ['a reset', (socket) => socket.resetAndDestroy(), { silent: 'closed by the target' }],
])('%s', async (_what, serve, answer) => {
  expect(await ask(await agent(serve))).toEqual(answer);
});

test('in pieces', async () => {
  const place = await agent((socket) => {
    socket.setNoDelay(true);
    socket.write('up 7');
    setImmediate(() => setImmediate(() => socket.write('5%\nrest')));
  });
  expect(await ask(place)).toEqual({ line: 'up 75%' });
});

test('nobody there', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  expect(await ask({ address: '127.0.0.1', port })).toEqual({ silent: 'refused' });
});

test('one that says nothing in time, and one that drips', async () => {
  expect(await ask(await agent(() => {}), 50)).toEqual({ silent: 'timeout' });
  const drip = await agent((socket) => {
    const dripping = setInterval(() => socket.write('x'), 10);
    socket.on('close', () => clearInterval(dripping));
  });
  expect(await ask(drip, 100)).toEqual({ silent: 'timeout' });
});
