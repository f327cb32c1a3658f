// Whose socket is read how, and that none is left behind.
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { until } from '../../../../lab/ready.ts';
import { startReading } from '../../../../lb/l7/front-http1/reading.ts';
import { Wire } from '../../../support/lb/http/wire.ts';

let server: Server;
afterEach(() => server.close());

async function accepted(): Promise<[Socket, Wire]> {
  const sockets: Socket[] = [];
  server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => {});
    serve(socket);
    sockets.push(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const wire = await Wire.connect(typeof address === 'object' ? (address?.port ?? 0) : 0);
  return [await until('it is accepted', () => sockets[0]), wire];
}

let pieces: Buffer[] = [];
let socket: Socket | undefined;
let serve: (accepted: Socket) => void = () => {};
function reading(accepted: Socket): void {
  pieces = [];
  socket = startReading(accepted, (piece) => pieces.push(piece)) as Socket;
}
const heard = () => Buffer.concat(pieces).toString('latin1');

it('gives pieces that stay as they are, and pauses', async () => {
  serve = reading;
  const [first, wire] = await accepted();
  expect(socket).not.toBe(first);
  wire.send('one');
  await until('it is heard', () => heard() === 'one');
  wire.send('two');
  await until('it is heard', () => heard() === 'onetwo');
  socket?.pause();
  wire.send(Buffer.alloc(20_000_000, 'x'));
  await until('the client waits', () => wire.socket.writableNeedDrain);
  expect(heard().length).toBeLessThan(200_000);
  socket?.resume();
  await until('it is heard', () => heard().length === 20_000_006);
  expect(/^onetwox+$/.test(heard())).toBe(true);
  wire.destroy();
});

it('is half closed as any other, and then all are closed', async () => {
  serve = (accepted) => {
    reading(accepted);
    socket?.on('end', () => socket?.end('bye'));
  };
  const [first, wire] = await accepted();
  wire.end();
  expect(await wire.ended()).toBe('bye');
  await until('both are closed', () => socket?.destroyed && first.destroyed);
  await new Promise((resolve) => server.close(resolve));
});

it.each(['accepted', 'ours'])('is gone with the other: %s', async (which) => {
  serve = reading;
  const [first, wire] = await accepted();
  (which === 'ours' ? socket : first)?.destroy();
  await wire.gone();
  await until('both are closed', () => socket?.destroyed && first.destroyed);
});

it('leaves a socket as it is from which something was read', async () => {
  serve = (accepted) => {
    accepted.once('data', (bytes) => {
      accepted.unshift(bytes);
      reading(accepted);
    });
  };
  const [first, wire] = await accepted();
  wire.send('first');
  await until('it is heard', () => heard() === 'first');
  expect(socket).toBe(first);
  wire.destroy();
});

it('goes on behind what somebody read, paused and put back, as behind a PROXY header', async () => {
  serve = (accepted) => {
    accepted.once('data', (bytes) => {
      accepted.pause();
      accepted.unshift(bytes.subarray(3));
      reading(accepted);
    });
  };
  const [, wire] = await accepted();
  wire.send('oneGET');
  await until('the rest is heard', () => heard() === 'GET');
  wire.send('two');
  await until('it is heard', () => heard() === 'GETtwo');
  wire.destroy();
});
