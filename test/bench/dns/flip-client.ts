// The clients and the targets of the flip case, in a process of its own (NAME, then the instances'
// addresses): asks each instance all the time, and writes a line of JSON when its answer is another
// one, or when the first target has ended or come back, which SIGUSR2 makes it do.
import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { FLIP_PORT, FLIP_TARGETS } from './flip-plan.ts';
import { encodeQuestion } from './question.ts';

const EVERY_MS = 2;

const [name = '', ...instances] = process.argv.slice(2);
const say = (line: object): void => console.log(JSON.stringify({ ...line, atMs: Date.now() }));

function listen(address: string): Server {
  const server = createServer((socket) => socket.on('error', () => undefined).end());
  return server.listen(FLIP_PORT, address);
}

const [first = '', ...others] = FLIP_TARGETS;
for (const address of others) listen(address);
let target: Server | undefined = listen(first);

process.on('SIGUSR2', () => {
  if (target === undefined) {
    target = listen(first);
    target.on('listening', () => say({ target: 'back' }));
  } else {
    target.close();
    target = undefined;
    say({ target: 'ended' });
  }
});

for (const instance of instances) {
  const socket = createSocket('udp4');
  let answer = '';
  socket.on('message', (message) => {
    // The answer's address is the last four bytes where nothing follows it.
    const found = message.readUInt16BE(6) === 1 ? message.subarray(-4).join('.') : 'none';
    if (found === answer) return;
    answer = found;
    say({ instance, answer });
  });
  // It has not started yet.
  socket.on('error', () => undefined);
  const query = encodeQuestion(name, 1);
  setInterval(() => socket.send(query, 53, instance, () => undefined), EVERY_MS);
}
