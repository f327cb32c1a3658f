import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { until } from '../../../../lab/ready.ts';
import { freePorts } from '../../../support/redis.ts';
import { endLater, endTargets, SHORT_MS, tcpServer, verdict } from './probe-rig.ts';

afterEach(endTargets);

test.each(['127.0.0.1', '::1'])('%s: a connection that stands is good', async (address) => {
  const port = await tcpServer(() => {}, address);
  expect(await verdict(address, { type: 'tcp', port })).toBe('good: connected');
});

test.each(['127.0.0.1', '::1'])('%s: a port where nobody listens', async (address) => {
  const [port = 0] = await freePorts(1);
  expect(await verdict(address, { type: 'tcp', port })).toBe('bad: refused');
});

test('it ends with FIN, also when the server has said something', async () => {
  const ends: string[] = [];
  const port = await tcpServer((socket) => {
    socket.write('220 ready\r\n');
    socket.resume();
    socket.on('end', () => ends.push('end')).on('error', ({ message }) => ends.push(message));
  });
  expect(await verdict('127.0.0.1', { type: 'tcp', port })).toBe('good: connected');
  await until('the probe has left', () => ends.length > 0);
  expect(ends).toEqual(['end']);
});

test('a server that takes no connections any more does not answer', async () => {
  const port = await stoppedServer();
  expect(await verdict('127.0.0.1', { type: 'tcp', port }, SHORT_MS)).toBe('bad: timeout');
});

test('where there is no way to, nothing is probed', async () => {
  const everybody = '255.255.255.255';
  expect(await verdict(everybody, { type: 'tcp', port: 9 })).toBe('not-probed: no route: EACCES');
});

/** Its process stands still, and its queue of connections is full. */
async function stoppedServer(): Promise<number> {
  const listen = "const s = net.createServer().listen(0, '127.0.0.1', 1, () => ";
  const tell = 'process.stdout.write(String(s.address().port)))';
  const child = spawn(process.execPath, ['-e', listen + tell]);
  endLater(() => child.kill('SIGKILL'));
  const [text] = await once(child.stdout, 'data');
  child.kill('SIGSTOP');
  await until('it stands still', () =>
    readFileSync(`/proc/${child.pid}/stat`, 'utf8').includes(') T '),
  );
  for (let count = 0; count < 2; count++) {
    const socket = connect(Number(text), '127.0.0.1').on('error', () => {});
    endLater(() => socket.destroy());
    await once(socket, 'connect');
  }
  return Number(text);
}
